using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Peers;

/// <summary>A folder of our own for configurations, logs and what the backend serves; gone on disposal.</summary>
internal sealed class Workspace : IDisposable
{
    public const int BackendPort = 9000;

    /// <summary>Answers datagrams with themselves.</summary>
    public const int EchoPort = 9100;

    /// <summary>Proxies listen from here on, one port each.</summary>
    public const int FirstProxyPort = 8001;

    /// <summary>From a proxy's port to its port with TLS.</summary>
    public const int TlsOffset = 1000;

    public const string BulkPath = "/bulk";
    public const long BulkBytes = 100L * 1024 * 1024;

    /// <summary>The file of <see cref="WriteCertificate"/>.</summary>
    public const string CertificateFile = "peers.pem";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lb-peers-");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public string Write(string name, string text)
    {
        string path = PathOf(name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>The file for bulk. Real bytes: the holes of a sparse file would all be one page that never leaves the cache.</summary>
    public void WriteBulkFile()
    {
        byte[] block = new byte[1024 * 1024];
        Random random = new(1);
        Directory.CreateDirectory(PathOf("www"));
        using FileStream file = File.Create(PathOf("www" + BulkPath));
        for (long written = 0; written < BulkBytes; written += block.Length)
        {
            random.NextBytes(block);
            file.Write(block);
        }
    }

    /// <summary>A certificate for TLS loads, with its key in the same file: RSA of 2048 bits, signed by itself.</summary>
    public string WriteCertificate(TimeProvider time)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=peers", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(time.GetUtcNow().AddDays(-1), time.GetUtcNow().AddDays(30));
        return Write(CertificateFile, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    public void Dispose()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"{_folder.FullName} is left: {e.Message}");
        }
    }
}
