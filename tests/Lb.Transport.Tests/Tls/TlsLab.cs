using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Tls;

/// <summary>A loop of one driver, a TLS connection on it, and the framework's own TLS over a plain socket at the other end.</summary>
internal sealed class TlsLab : IAsyncDisposable
{
    private readonly List<IDisposable> _owned = [];

    public TlsLab(string driver, TimeProvider? time = null)
    {
        ReactorDriver kind = EventLoops.Parse(driver);
        Assert.SkipWhen(kind == ReactorDriver.Uring && !EventLoops.SupportsUring, $"io_uring can't be used here: {UringSupport.Missing}.");
        Host = new LoopHost((clock, errors) => EventLoops.Create(kind, "tls under test", clock, errors), time);
        Certificates = Own(new TestCertificates());
    }

    public LoopHost Host { get; }

    public TestCertificates Certificates { get; }

    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    /// <summary>The server's role with one certificate, for <c>www.example.com</c>.</summary>
    public TlsServer Server(Action<GatewayTlsOptions>? configure = null)
    {
        GatewayTlsOptions options = new() { ReloadInterval = TimeSpan.Zero };
        configure?.Invoke(options);
        if (options.Certificates.Count == 0) options.Certificates.Add(new CertificateOptions { CertificateFile = Certificates.MakeFile("www.example.com") });
        return new TlsServer(options, [.. options.Certificates.Select(CertificateFiles.Load)]);
    }

    /// <summary>An accepted connection with TLS over it, and the client's socket, which has said nothing yet.</summary>
    public async Task<(TlsConnection Connection, Socket Peer)> AcceptAsync(IConnectionHandler handler, TlsRole role)
    {
        (Connection raw, Socket peer) = await Host.PairAsync(new Recorder());
        return (await Host.On(() => TlsConnection.Begin(raw, handler, role)), peer);
    }

    /// <summary>The same after the handshake.</summary>
    public async Task<(TlsConnection Connection, SslStream Peer, Socket Socket)> PairAsync(Recorder recorder, TlsRole? role = null, string name = "www.example.com")
    {
        (TlsConnection connection, Socket socket) = await AcceptAsync(recorder, role ?? Server());
        SslStream peer = Client(socket);
        await peer.AuthenticateAsClientAsync(ClientOptions(name));
        await recorder.Connected.Task;
        return (connection, peer, socket);
    }

    public SslStream Client(Socket socket) => Own(new SslStream(new NetworkStream(socket, ownsSocket: true)));

    /// <summary>A client that trusts the tests' authority.</summary>
    public static SslClientAuthenticationOptions ClientOptions(string name, SslProtocols versions = SslProtocols.None) => new()
    {
        TargetHost = name,
        EnabledSslProtocols = versions,
        CertificateChainPolicy = PeerCertificates.Policy([TestCertificates.Authority]),
    };

    public static byte[] Pattern(int length)
    {
        byte[] data = new byte[length];
        for (int i = 0; i < length; i++) data[i] = (byte)(i * 2654435761 >> 13);
        return data;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _owned.ForEach(static o => o.Dispose());
        Assert.False(Host.Errors.Reader.TryRead(out Exception? error), $"The loop reported: {error}");
    }
}
