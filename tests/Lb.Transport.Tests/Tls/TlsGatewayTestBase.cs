using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport.Tests.Tls;

/// <summary>Gateways with TLS, and clients that speak it.</summary>
public abstract class TlsGatewayTestBase : GatewayTests, IAsyncLifetime
{
    private readonly List<IDisposable> _owned = [];

    internal TestCertificates Files { get; } = new();

    public ValueTask InitializeAsync()
    {
        _owned.Add(Files);
        return ValueTask.CompletedTask;
    }

    /// <summary>A gateway with TLS; without a word of certificates, one for <c>www.example.com</c>.</summary>
    internal Task<GatewayLab> StartTlsAsync(string driver, Action<GatewayLab> configure, Action<GatewayTlsOptions>? tls = null)
    {
        GatewayTlsOptions options = new();
        tls?.Invoke(options);
        if (options.Certificates.Count == 0 && options.CertificateDirectory is null) Add(options, "www.example.com");
        return StartAsync(driver, l =>
        {
            configure(l);
            l.SetGateway(g => g.Tls = options);
        });
    }

    internal CertificateOptions Add(GatewayTlsOptions options, string name)
    {
        CertificateOptions certificate = new() { CertificateFile = Files.MakeFile(name) };
        options.Certificates.Add(certificate);
        return certificate;
    }

    internal async Task<SslStream> ConnectAsync(GatewayLab lab, string name = "www.example.com") => await HandshakeAsync(await lab.ClientAsync(), name);

    internal async Task<SslStream> HandshakeAsync(Socket socket, string name, X509Certificate2? own = null, SslApplicationProtocol? alpn = null)
    {
        SslStream stream = new(new NetworkStream(socket, ownsSocket: true));
        lock (_owned) _owned.Add(stream);
        SslClientAuthenticationOptions options = TlsLab.ClientOptions(name);
        if (alpn is { } protocol) options.ApplicationProtocols = [protocol];
        if (own is not null) options.ClientCertificateContext = SslStreamCertificateContext.Create(own, null, offline: true);

        // Which certificate is shown is what the tests are about; whether it fits the name they say themselves.
        options.RemoteCertificateValidationCallback = static (_, _, _, errors) => (errors & SslPolicyErrors.RemoteCertificateChainErrors) == 0;
        await stream.AuthenticateAsClientAsync(options);
        return stream;
    }

    /// <summary>The name in the certificate that a new client is shown.</summary>
    internal async Task<string> ShownAsync(GatewayLab lab, string name)
    {
        await using SslStream stream = await ConnectAsync(lab, name);
        return CertificateFiles.NamesOf((X509Certificate2)stream.RemoteCertificate!)[0];
    }

    /// <summary>The serial number of the certificate that a new client is shown.</summary>
    internal async Task<string> SerialAsync(GatewayLab lab, string name = "www.example.com")
    {
        await using SslStream stream = await ConnectAsync(lab, name);
        return ((X509Certificate2)stream.RemoteCertificate!).SerialNumber;
    }

    public new async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        lock (_owned) _owned.ForEach(static o => o.Dispose());
        GC.SuppressFinalize(this);
    }
}
