using System.Runtime.CompilerServices;

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
        int length = what.HasFlag(ProxySending.Version1) ? ProxyHeaderWriter.WriteLine(buffer, in source, in destination) : Write(buffer, what, in source, in destination, client, prelude);
        return server.Send(buffer[..length]);
    }

    private static int Write(Span<byte> buffer, ProxySending what, in PeerAddress source, in PeerAddress destination, Connection client, TcpPrelude? prelude)
    {
        ProxyHeaderWriter writer = new(buffer, in source, in destination);
        ProxyHeader announced = default;
        if (prelude?.Announced is { } bytes) ProxyHeader.Read(bytes, out announced);

        // What the client itself says goes before what a proxy says of it.
        TlsConnection? tls = client as TlsConnection;
        if (what.HasFlag(ProxySending.Alpn) && !(tls is not null && ProxyTlsFacts.AddAlpn(ref writer, tls)) && announced.Tlvs.TryGet(ProxyTlvType.Alpn, out ReadOnlySpan<byte> protocol))
            AddShort(ref writer, ProxyTlvType.Alpn, protocol);
        if (what.HasFlag(ProxySending.Authority) && !(tls is not null ? ProxyTlsFacts.AddAuthority(ref writer, tls) : AddSni(ref writer, prelude)) && announced.Tlvs.TryGet(ProxyTlvType.Authority, out ReadOnlySpan<byte> name))
            AddShort(ref writer, ProxyTlvType.Authority, name);
        if (what.HasFlag(ProxySending.UniqueId)) AddId(ref writer, announced.Tlvs);
        if (what.HasFlag(ProxySending.Tls))
        {
            if (tls is not null) ProxyTlsFacts.AddTls(ref writer, what, tls);
            else if (announced.Tlvs.TryGetTls(out ProxyTls theirs)) writer.AddTls(Only(what, theirs));
        }

        return writer.Finish(what.HasFlag(ProxySending.Checksum));
    }

    // The name in a ClientHello that is passed through. Of protocols it says only what it would like, and not what comes of it.
    [SkipLocalsInit]
    private static bool AddSni(scoped ref ProxyHeaderWriter writer, TcpPrelude? prelude)
    {
        ReadOnlySpan<byte> early = prelude is null ? default : prelude.Early;
        if (early.IsEmpty || early[0] != 22) return false;
        Span<byte> scratch = stackalloc byte[ClientHello.MaxLength];
        if (ClientHello.Read(early, scratch, out ClientHello hello) != ClientHelloResult.Done || hello.ServerName.IsEmpty) return false;
        writer.Add(ProxyTlvType.Authority, hello.ServerName);
        return true;
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
