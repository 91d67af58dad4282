using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Lb.Health;

/// <summary>What a <c>udp</c> check sends and how a reply is judged. Immutable; pure.</summary>
/// <param name="Payload">What is sent.</param>
/// <param name="Options">As configured.</param>
/// <param name="Reply">How a reply begins, or null.</param>
internal sealed record UdpRules(byte[] Payload, CheckUdpOptions Options, BytePattern? Reply)
{
    private const int MaxPayload = 65507;

    /// <summary>Reads the options; faults are added to <paramref name="errors"/>.</summary>
    public static bool TryRead(string path, CheckUdpOptions options, ICollection<ConfigurationError> errors, [NotNullWhen(true)] out UdpRules? rules)
    {
        int before = errors.Count;
        byte[]? payload = [];
        BytePattern? reply = null;
        string? error = null;
        if (options.Payload is not null && options.PayloadHex is not null)
            errors.Add(new($"{path}:Udp:PayloadHex", options.PayloadHex, "means nothing beside Payload; set one of them"));
        if (options.Payload is { } text && !PayloadText.TryParse(text, out payload, out error)) errors.Add(new($"{path}:Udp:Payload", CheckRules.Printable(text), error));
        else if (options.PayloadHex is { } hex && !PayloadText.TryParseHex(hex, out payload, out error)) errors.Add(new($"{path}:Udp:PayloadHex", CheckRules.Printable(hex), error));
        if (payload?.Length > MaxPayload) errors.Add(new($"{path}:Udp:Payload", null, "must be at most 65507 bytes, which is what a datagram takes"));
        if (options.Reply is { } wanted && !BytePattern.TryParse(wanted, out reply, out error)) errors.Add(new($"{path}:Udp:Reply", CheckRules.Printable(wanted), error));
        if (!options.RequireReply && (options.Reply is not null || options.MinReplyLength > 0 || options.MaxReplyLength < 65535))
            errors.Add(new($"{path}:Udp:RequireReply", "false", "must be true to judge replies"));
        if (options.MaxReplyLength < options.MinReplyLength)
            errors.Add(new($"{path}:Udp:MaxReplyLength", options.MaxReplyLength.ToString(CultureInfo.InvariantCulture), "must not be below MinReplyLength"));
        rules = errors.Count == before ? new UdpRules(payload!, options, reply) : null;
        return rules is not null;
    }

    /// <summary>What is wrong with a reply, or null.</summary>
    public string? Judge(ReadOnlySpan<byte> reply)
    {
        if (reply.Length < Options.MinReplyLength) return string.Create(CultureInfo.InvariantCulture, $"reply of {reply.Length} bytes, less than {Options.MinReplyLength}");
        if (reply.Length > Options.MaxReplyLength) return string.Create(CultureInfo.InvariantCulture, $"reply of more than {Options.MaxReplyLength} bytes");
        int at = Reply?.Mismatch(reply) ?? -1;
        return at < 0 ? null : string.Create(CultureInfo.InvariantCulture, $"reply differs at byte {at}");
    }
}
