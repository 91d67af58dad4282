using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lb.Contracts.Checkers;

namespace Lb.Transport.Tests;

/// <summary>A directory for the files of certificates, removed at the end.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly DateTimeOffset Past = new(2021, 2, 3, 0, 0, 0, TimeSpan.Zero);
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-tls-").FullName;

    /// <summary>The authority that signs all of them.</summary>
    public static X509Certificate2 Authority { get; } = X509CertificateLoader.LoadCertificateFromFile(Certificates.One.CaFile);

    public static string AuthorityFile => Certificates.One.CaFile;

    public string PathOf(string file) => Path.Combine(_directory, file);

    public string Write(string file, string text)
    {
        string path = PathOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public static X509Certificate2 Make(string name, bool isExpired = false, bool selfSigned = false) =>
        Certificates.One.Make(name, end: isExpired ? Past : null, selfSigned: selfSigned);

    /// <summary>A new certificate and its key in one PEM file.</summary>
    public string MakeFile(string name, string? file = null, bool isExpired = false, bool selfSigned = false)
    {
        string path = PathOf(file ?? $"{name.Replace('*', '_')}.pem");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using X509Certificate2 made = Make(name, isExpired, selfSigned);
        return Certificates.Write(made, path);
    }

    public static string KeyOf(X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
