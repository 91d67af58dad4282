using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Contracts.Checkers;

/// <summary>An authority and its certificates, made for one test run, and servers that show them.</summary>
public sealed class Certificates
{
    private static readonly DateTimeOffset Begin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _authority;
    private byte _serial;

    private Certificates()
    {
        CertificateRequest request = new("CN=Test authority", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(Begin, End);
        CaFile = Path.Combine(Directory.CreateTempSubdirectory("lb-ca-").FullName, "ca.pem");
        File.WriteAllText(CaFile, _authority.ExportCertificatePem());
        Good = Make();
    }

    public static Certificates One { get; } = new();

    public string CaFile { get; }

    public X509Certificate2 Good { get; }

    /// <summary>Makes a certificate of the authority, for 127.0.0.1, localhost and app.example unless told otherwise.</summary>
    public X509Certificate2 Make(string? name = null, DateTimeOffset? begin = null, DateTimeOffset? end = null, bool selfSigned = false)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=Server", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        if (name is not null)
        {
            names.AddDnsName(name);
        }
        else
        {
            names.AddIpAddress(IPAddress.Loopback);
            names.AddDnsName("localhost");
            names.AddDnsName("app.example");
        }

        request.CertificateExtensions.Add(names.Build());
        if (selfSigned) return request.CreateSelfSigned(begin ?? Begin, end ?? End);
        using X509Certificate2 signed = request.Create(_authority, begin ?? Begin, end ?? End, [1, ++_serial]);
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Writes a certificate and its key into a PEM file, as programs want them.</summary>
    /// <returns>The file's path.</returns>
    public static string Write(X509Certificate2 certificate, string path)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(path, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return path;
    }

    /// <summary>Makes a handshake as a server, then does what the test says.</summary>
    public static Func<Socket, CancellationToken, Task> Serve(SslServerAuthenticationOptions options, Func<SslStream, CancellationToken, Task>? then = null) => async (socket, ct) =>
    {
        using SslStream stream = new(new NetworkStream(socket, ownsSocket: false));
        try
        {
            await stream.AuthenticateAsServerAsync(options, ct);
            if (then is not null) await then(stream, ct);
        }
        catch (Exception error) when (error is System.Security.Authentication.AuthenticationException or IOException)
        {
            // The client does not like us.
        }
    };
}
