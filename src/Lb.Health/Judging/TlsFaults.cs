using System.Globalization;

namespace Lb.Health;

/// <summary>Says in our words why a TLS handshake failed: the library's depend on the system. Pure.</summary>
internal static class TlsFaults
{
    /// <summary>What the first bytes of a server say of a handshake that failed: an alert comes in plain text when nothing else was agreed (RFC 8446, 6).</summary>
    public static string OfAnswer(ReadOnlySpan<byte> first)
    {
        if (first.IsEmpty) return "closed without an answer";
        if (first[0] is < 20 or > 24 || (first.Length > 1 && first[1] != 3)) return "not TLS";
        if (first[0] != 21) return "handshake failed";
        string? alert = first.Length < 7 ? null : first[6] switch
        {
            40 => "no common settings (handshake_failure)",
            42 => "our certificate is bad (bad_certificate)",
            70 => "no common version (protocol_version)",
            71 => "our ciphers are too weak (insufficient_security)",
            80 => "a fault of its own (internal_error)",
            86 => "a fall-back that it does not need (inappropriate_fallback)",
            112 => "a name that it does not know (unrecognized_name)",
            116 => "it wants a certificate (certificate_required)",
            120 => "no common protocol (no_application_protocol)",
            var other => string.Create(CultureInfo.InvariantCulture, $"alert {other}"),
        };
        return alert is null ? "handshake refused" : $"handshake refused: {alert}";
    }
}
