using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Lb.Transport;

/// <summary>A certificate with its key, what it came with, and the names it is for.</summary>
internal sealed record LoadedCertificate(X509Certificate2 Certificate, X509Certificate2Collection Chain, IReadOnlyList<string> Names, string Source);

/// <summary>A file that can't be used.</summary>
internal sealed class CertificateException(string key, string? file, string reason) : Exception($"{file}: {reason}")
{
    /// <summary>The option that names the file.</summary>
    public string Key => key;

    public string? File => file;

    public string Reason => reason;
}

/// <summary>Reads certificates and keys; every fault says which file and why.</summary>
internal static class CertificateFiles
{
    private static readonly string[] Endings = [".pem", ".crt", ".pfx", ".p12"];

    /// <summary>The certificates of a directory, in the order of their names.</summary>
    /// <exception cref="CertificateException">It can't be read or has none.</exception>
    public static IReadOnlyList<CertificateOptions> List(string directory)
    {
        try
        {
            List<CertificateOptions> found = [];
            foreach (string file in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal))
            {
                string ending = Path.GetExtension(file).ToLowerInvariant();
                if (!Endings.Contains(ending, StringComparer.Ordinal)) continue;
                string beside = Path.ChangeExtension(file, ".key");
                found.Add(ending is ".pfx" or ".p12"
                    ? new CertificateOptions { PfxFile = file }
                    : new CertificateOptions { CertificateFile = file, KeyFile = File.Exists(beside) ? beside : null });
            }

            return found.Count > 0 ? found : throw new CertificateException("CertificateDirectory", directory, $"has no certificate: no file ends in {string.Join(", ", Endings)}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException("CertificateDirectory", directory, Explain(error));
        }
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="CertificateException">It can't be used.</exception>
    public static LoadedCertificate Load(CertificateOptions options)
    {
        string? password = options.PasswordFile is { } file ? ReadText("PasswordFile", file).ReplaceLineEndings("\n").Split('\n')[0] : options.Password;
        X509Certificate2Collection all = [];
        X509Certificate2 own = options.PfxFile is { } pfx ? LoadPfx(pfx, password, all) : LoadPem(options, password, all);
        X509Certificate2Collection chain = [.. all.Where(c => !c.RawDataMemory.Span.SequenceEqual(own.RawDataMemory.Span))];
        IReadOnlyList<string> names = options.Names.Count > 0 ? [.. options.Names] : ReadNames(options, own);
        return new LoadedCertificate(own, chain, names, options.PfxFile ?? options.CertificateFile!);
    }

    /// <summary>Reads the certificates of authorities.</summary>
    /// <exception cref="CertificateException">The file can't be used.</exception>
    public static X509Certificate2Collection LoadAuthorities(string file)
    {
        X509Certificate2Collection all = [];
        ImportPem("CaFile", file, ReadText("CaFile", file), all);
        return all;
    }

    private static IReadOnlyList<string> ReadNames(CertificateOptions options, X509Certificate2 own)
    {
        try
        {
            return NamesOf(own);
        }
        catch (CryptographicException)
        {
            (string key, string? file) = options.PfxFile is { } pfx ? ("PfxFile", pfx) : ("CertificateFile", options.CertificateFile);
            throw new CertificateException(key, file, "has a certificate whose alternative names can't be read; set Names");
        }
    }

    /// <summary>The names in a certificate: those of the extension for them, else the common name.</summary>
    public static IReadOnlyList<string> NamesOf(X509Certificate2 certificate)
    {
        List<string> names = [];
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is X509SubjectAlternativeNameExtension alternatives) names.AddRange(alternatives.EnumerateDnsNames());
        }

        string common = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        if (names.Count == 0 && common.Length > 0) names.Add(common);
        return names;
    }

    /// <summary>Every file that the options name, for watching.</summary>
    public static IEnumerable<string> FilesOf(CertificateOptions options) =>
        new[] { options.CertificateFile, options.KeyFile, options.PfxFile, options.PasswordFile }.OfType<string>();

    /// <summary>The content of a file; empty for one that can't be read, which reading it for good will tell of.</summary>
    public static byte[] ReadOrNothing(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static X509Certificate2 LoadPfx(string file, string? password, X509Certificate2Collection all)
    {
        try
        {
            // On Windows a key must be stored for its TLS to find it; elsewhere it stays in memory.
            X509KeyStorageFlags storage = OperatingSystem.IsWindows() ? X509KeyStorageFlags.DefaultKeySet : X509KeyStorageFlags.EphemeralKeySet;
            all.AddRange(X509CertificateLoader.LoadPkcs12CollectionFromFile(file, password, storage));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException("PfxFile", file, Explain(error));
        }
        catch (CryptographicException)
        {
            throw new CertificateException("PfxFile", file, password is null ? "is no PKCS #12 file, or needs a Password" : "is no PKCS #12 file, or the password is wrong");
        }

        return all.FirstOrDefault(static c => c.HasPrivateKey) ?? throw new CertificateException("PfxFile", file, "has no private key");
    }

    private static X509Certificate2 LoadPem(CertificateOptions options, string? password, X509Certificate2Collection all)
    {
        if (options.CertificateFile is not { Length: > 0 } file) throw new CertificateException("CertificateFile", null, "is required, or a PfxFile");
        string text = ReadText("CertificateFile", file);
        ImportPem("CertificateFile", file, text, all);
        string keyName = options.KeyFile is null ? "CertificateFile" : "KeyFile", keyFile = options.KeyFile ?? file;
        string key = options.KeyFile is null ? text : ReadText(keyName, keyFile);
        if (!key.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new CertificateException(keyName, keyFile, options.KeyFile is null ? "has no private key; if it is in another file, set KeyFile" : "has no private key");
        if (key.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            throw new CertificateException(keyName, keyFile, "has a key that is encrypted in the old way; convert it with openssl pkcs8 -topk8");
        bool isEncrypted = key.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal);
        if (isEncrypted && password is null) throw new CertificateException(keyName, keyFile, "has an encrypted key; set Password or PasswordFile");
        try
        {
            X509Certificate2 own = isEncrypted ? X509Certificate2.CreateFromEncryptedPem(text, key, password) : X509Certificate2.CreateFromPem(text, key);
            return OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pfx), null) : own;
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new CertificateException(keyName, keyFile, isEncrypted ? "has a key that the password does not open, or that is not the certificate's"
                : IsKey(key) ? $"has a key that is not that of the certificate in {file}" : "has a key that can't be read");
        }
    }

    // The framework does not tell a key of another certificate from one that is broken.
    private static bool IsKey(string text)
    {
        foreach (AsymmetricAlgorithm algorithm in (AsymmetricAlgorithm[])[RSA.Create(), ECDsa.Create()])
        {
            using (algorithm)
            {
                try
                {
                    algorithm.ImportFromPem(text);
                    return true;
                }
                catch (Exception error) when (error is CryptographicException or ArgumentException)
                {
                    // Not one of this kind.
                }
            }
        }

        return false;
    }

    private static void ImportPem(string key, string file, string text, X509Certificate2Collection all)
    {
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            throw new CertificateException(key, file, "has a certificate that can't be read");
        }

        if (all.Count == 0) throw new CertificateException(key, file, "has no certificate: no line says BEGIN CERTIFICATE");
    }

    private static string ReadText(string key, string file)
    {
        try
        {
            return File.ReadAllText(file, Encoding.UTF8);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException(key, file, Explain(error));
        }
    }

    private static string Explain(Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => "is not there",
        UnauthorizedAccessException => "may not be read by this user",
        _ => $"can't be read: {error.Message}",
    };
}
