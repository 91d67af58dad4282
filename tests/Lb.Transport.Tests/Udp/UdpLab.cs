using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests.Udp;

/// <summary>Tests of a UDP gateway: the lab's gateway "gate" has mode udp, servers and clients are plain sockets.</summary>
public abstract class UdpGatewayTests : GatewayTests
{
    protected const int Timeout = 60_000;

    internal Task<GatewayLab> StartUdpAsync(string driver, Action<GatewayLab>? configure = null) => StartAsync(driver, Udp(configure));

    internal static Action<GatewayLab> Udp(Action<GatewayLab>? configure) => lab =>
    {
        lab.SetGateway(static g => g.Mode = "udp");
        configure?.Invoke(lab);
    };
}

/// <summary>A UDP socket of a test.</summary>
internal sealed class UdpPeer : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[65_536];

    public UdpPeer(IPEndPoint? at = null)
    {
        at ??= new IPEndPoint(IPAddress.Loopback, 0);
        _socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        _socket.Bind(at);
    }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public Socket Socket => _socket;

    /// <summary>True when nothing has arrived.</summary>
    public bool IsQuiet => !_socket.Poll(0, SelectMode.SelectRead);

    public void Send(EndPoint to, string text) => Send(to, System.Text.Encoding.UTF8.GetBytes(text));

    public void Send(EndPoint to, ReadOnlySpan<byte> data) => Assert.Equal(data.Length, _socket.SendTo(data, SocketFlags.None, to));

    public async Task<(byte[] Data, IPEndPoint From)> ReceiveAsync()
    {
        SocketReceiveFromResult got = await _socket.ReceiveFromAsync(
            _buffer, SocketFlags.None, new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
        return (_buffer[..got.ReceivedBytes], (IPEndPoint)got.RemoteEndPoint);
    }

    /// <summary>The next datagram has this text.</summary>
    /// <returns>Who sent it.</returns>
    public async Task<IPEndPoint> ShouldGetAsync(string text)
    {
        (byte[] data, IPEndPoint from) = await ReceiveAsync();
        Assert.Equal(text, System.Text.Encoding.UTF8.GetString(data));
        return from;
    }

    /// <summary>Answers the next datagram with its own bytes.</summary>
    public async Task EchoAsync()
    {
        (byte[] data, IPEndPoint from) = await ReceiveAsync();
        Send(from, data);
    }

    public void Dispose() => _socket.Dispose();
}

internal static class UdpLab
{
    public static UdpGateway Udp(this GatewayLab lab) => (UdpGateway)lab.Gateways["gate"];

    public static IPEndPoint At(this GatewayLab lab) => (IPEndPoint)lab.Udp().EndPoints[0];

    public static UdpPeer AddUdpServer(this GatewayLab lab, string? name = null, IPEndPoint? at = null)
    {
        UdpPeer peer = lab.Own(new UdpPeer(at));
        lab.AddServer(peer.EndPoint.ToString(), name ?? $"s{lab.Servers.Count + 1}");
        return peer;
    }

    /// <summary>A server whose port nobody listens on: every datagram is answered with ICMP "port unreachable".</summary>
    public static void AddUnreachable(this GatewayLab lab, string name)
    {
        using UdpPeer peer = new();
        lab.AddServer(peer.EndPoint.ToString(), name);
    }

    public static UdpPeer Client(this GatewayLab lab, IPEndPoint? at = null) => lab.Own(new UdpPeer(at));

    /// <summary>A question and its answer.</summary>
    public static async Task AskAsync(this UdpPeer client, EndPoint gateway, UdpPeer server, string text = "question")
    {
        client.Send(gateway, text);
        IPEndPoint from = await server.ShouldGetAsync(text);
        server.Send(from, "to " + text);
        await client.ShouldGetAsync("to " + text);
    }

    public static Task SessionsAsync(this GatewayLab lab, int count)
    {
        UdpGateway gateway = lab.Udp();
        return Wait.UntilAsync(() => gateway.OpenConnections == count, () => $"{count} sessions, there are {gateway.OpenConnections}");
    }

    public static Task EndedAsync(this GatewayLab lab, UdpEnd end, long count = 1)
    {
        UdpGateway gateway = lab.Udp();
        return Wait.UntilAsync(() => gateway.Count(end) == count, () => $"{count} ended with {end}, there are {gateway.Count(end)}");
    }

    public static Task DroppedAsync(this GatewayLab lab, UdpDrop reason, long count = 1)
    {
        UdpGateway gateway = lab.Udp();
        return Wait.UntilAsync(() => gateway.Count(reason) == count, () => $"{count} dropped for {reason}, there are {gateway.Count(reason)}");
    }
}
