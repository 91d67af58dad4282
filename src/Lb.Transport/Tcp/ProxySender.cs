using System.Runtime.CompilerServices;
using System.Text;

namespace Lb.Transport;

/// <summary>Tells a server who its client is, in the first bytes of its connection.</summary>
internal static class ProxySender
{
    // Every value at its longest fits: addresses, a name, protocols, an id, what TLS says of a client and of what was announced.
    private const int MaxLength = 2048;

    /// <summary>Sends the header that the server wants.</summary>
    /// <param name="server">The connection to it, which nothing has been sent on.</param>
    /// <param name="what">What it wants.</param>
    /// <param name="client">The client's connection.</param>
    /// <param name="prelude">What is known of the client besides; null = nothing.</param>
    public static SendResult Send(Connection server, ProxySending what, Connection client, TcpPrelude? prelude)
    {
        PeerAddress source, destination = prelude?.Destination ?? default;
        if (prelude is null) client.GetPeer(out source);
        else source = prelude.Source;
        if (destination.IsEmpty) client.GetLocal(out destination);

        Span<byte> buffer = stackalloc byte[what.HasFlag(ProxySending.Version1) ? ProxyHeader.MaxLineLength : MaxLength];
        int length = what.HasFlag(ProxySending.Version1) ? ProxyHeaderWriter.WriteLine(buffer, in source, in destination) : Write(buffer, what, in source, in destination, prelude, client as TlsConnection);
        return server.Send(buffer[..length]);
    }

    private static int Write(Span<byte> buffer, ProxySending what, in PeerAddress source, in PeerAddress destination, TcpPrelude? prelude, TlsConnection? tls)
    {
        ProxyHeaderWriter writer = new(buffer, in source, in destination);
        ProxyHeader announced = default;
        if (prelude?.Announced is { } bytes) ProxyHeader.Read(bytes, out announced);
        if (tls is not null) AddEnded(ref writer, what, tls);
        else if ((what & (ProxySending.Authority | ProxySending.Alpn)) != 0) AddHello(ref writer, what, prelude, announced.Tlvs);
        if (what.HasFlag(ProxySending.UniqueId)) AddId(ref writer, announced.Tlvs);
        if (what.HasFlag(ProxySending.Tls) && tls is null && announced.Tlvs.TryGetTls(out ProxyTls of)) writer.AddTls(Only(what, of));
        return writer.Finish(what.HasFlag(ProxySending.Checksum));
    }

    // TLS that ends here: what was agreed on.
    private static void AddEnded(scoped ref ProxyHeaderWriter writer, ProxySending what, TlsConnection tls)
    {
        ReadOnlySpan<byte> protocol = tls.Alpn.Protocol.Span;
        if (what.HasFlag(ProxySending.Alpn) && !protocol.IsEmpty) writer.Add(ProxyTlvType.Alpn, protocol);
        if (what.HasFlag(ProxySending.Authority) && tls.ServerName.Length > 0) AddShort(ref writer, ProxyTlvType.Authority, Encoding.UTF8.GetBytes(tls.ServerName));
        if (what.HasFlag(ProxySending.Tls)) writer.AddTls(Only(what, TlsAnnouncement.Of(tls)));
    }

    // What the client itself says goes before what a proxy says of it. Of ALPN it says only what it would like: what was chosen, a proxy tells that has ended TLS.
    [SkipLocalsInit]
    private static void AddHello(scoped ref ProxyHeaderWriter writer, ProxySending what, TcpPrelude? prelude, ProxyTlvs announced)
    {
        if (what.HasFlag(ProxySending.Alpn) && announced.TryGet(ProxyTlvType.Alpn, out ReadOnlySpan<byte> protocol)) AddShort(ref writer, ProxyTlvType.Alpn, protocol);
        if (!what.HasFlag(ProxySending.Authority)) return;
        ReadOnlySpan<byte> early = prelude is null ? default : prelude.Early;
        if (!early.IsEmpty && early[0] == 22)
        {
            Span<byte> scratch = stackalloc byte[ClientHello.MaxLength];
            if (ClientHello.Read(early, scratch, out ClientHello hello) == ClientHelloResult.Done && !hello.ServerName.IsEmpty)
            {
                writer.Add(ProxyTlvType.Authority, hello.ServerName);
                return;
            }
        }

        if (announced.TryGet(ProxyTlvType.Authority, out ReadOnlySpan<byte> name)) AddShort(ref writer, ProxyTlvType.Authority, name);
    }

    private static void AddId(scoped ref ProxyHeaderWriter writer, ProxyTlvs announced)
    {
        if (announced.TryGet(ProxyTlvType.UniqueId, out ReadOnlySpan<byte> id))
        {
            writer.Add(ProxyTlvType.UniqueId, id);
            return;
        }

        Span<byte> text = stackalloc byte[32];
        Guid.CreateVersion7().TryFormat(text, out _, "N");
        writer.Add(ProxyTlvType.UniqueId, text);
    }

    // A proxy may announce up to 4 KiB; what no server would take for a name is left out.
    private static void AddShort(scoped ref ProxyHeaderWriter writer, ProxyTlvType type, ReadOnlySpan<byte> value)
    {
        if (value.Length <= 255) writer.Add(type, value);
    }

    private static ProxyTls Only(ProxySending what, ProxyTls tls) => new()
    {
        Client = tls.Client,
        Verify = tls.Verify,
        Version = Short(tls.Version),
        CommonName = what.HasFlag(ProxySending.CommonName) ? Short(tls.CommonName) : default,
        Cipher = what.HasFlag(ProxySending.Cipher) ? Short(tls.Cipher) : default,
    };

    private static ReadOnlySpan<byte> Short(ReadOnlySpan<byte> text) => text.Length <= 255 ? text : default;
}
