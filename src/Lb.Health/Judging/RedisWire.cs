using System.Globalization;
using System.Text;

namespace Lb.Health;

/// <summary>What a check needs of the Redis protocol (RESP): requests, and the one-line replies to them. Pure.</summary>
internal static class RedisWire
{
    /// <summary>The longest reply taken.</summary>
    public const int LongestLine = 1024;

    /// <summary>A request. Lengths stand before the words, so that a password may have any character.</summary>
    public static byte[] Request(params ReadOnlySpan<string> words)
    {
        using MemoryStream request = new();
        Append(request, string.Create(CultureInfo.InvariantCulture, $"*{words.Length}\r\n"));
        foreach (string word in words)
            Append(request, string.Create(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"));
        return request.ToArray();
    }

    /// <summary>Judges a reply that should be a simple string.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="wanted">The string wanted.</param>
    /// <returns>L7OK, L7STS with the server's words when it is an error or another string, L7RSP when it is no reply.</returns>
    public static ProbeResult Judge(ReadOnlySpan<byte> line, string wanted)
    {
        if (line.IsEmpty || line[0] is not ((byte)'+' or (byte)'-')) return new ProbeResult(CheckStatus.Layer7Response, 0, "not Redis");
        string text = Encoding.UTF8.GetString(line[1..]);
        return new ProbeResult(line[0] == '+' && text == wanted ? CheckStatus.Layer7Ok : CheckStatus.Layer7Status, 0, text);
    }

    private static void Append(MemoryStream target, string text) => target.Write(Encoding.UTF8.GetBytes(text));
}
