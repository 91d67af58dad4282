using System.Text;
using System.Text.RegularExpressions;

namespace Lb.Transport.Tests;

/// <summary>Connection requests of Remote Desktop clients; the judge reads them as text.</summary>
internal sealed partial class RdpFuzz() : FuzzTarget("rdp")
{
    protected override byte[][] Seeds { get; } =
    [
        Convert.FromHexString("0300002c27e00000000000436f6f6b69653a206d737473686173683d656c746f6e730d0a0100080000000000"),
        Request("Cookie: msts=3640205228.15629.0000\r\n"), Request("Cookie: msts=4294967295.65535.1\r\n"), Request(""), Request(new string('x', 248)),
    ];

    /// <summary>A right request.</summary>
    public static byte[] Request(string text)
    {
        int length = 11 + text.Length;
        return [3, 0, (byte)(length >> 8), (byte)length, (byte)(length - 5), 0xE0, 0, 0, 0, 0, 0, .. Encoding.Latin1.GetBytes(text)];
    }

    protected override int Read(ReadOnlySpan<byte> data)
    {
        RdpRequestResult result = RdpRequest.Read(data, out int length);
        bool isCookie = RdpRequest.TryGetCookie(data, "msts"u8, out ReadOnlySpan<byte> value) && RdpRequest.TryGetServer(value, out _);
        return result switch { RdpRequestResult.Done => (length * 2) + (isCookie ? 1 : 0), RdpRequestResult.NeedMore => NeedMore, _ => -10 };
    }

    // Byte after byte, each with what it must be; only then the whole.
    protected override int Judge(byte[] data)
    {
        int length = data.Length < 4 ? 0 : (data[2] * 256) + data[3];
        for (int i = 0; i < Math.Min(11, data.Length); i++)
        {
            if (i >= 4 && i >= length) break;
            bool isRight = i switch { 0 => data[0] == 3, 3 => length is >= 11 and <= 259, 4 => data[4] == length - 5, 5 => data[5] == 224, 6 or 7 or 10 => data[i] == 0, _ => true };
            if (!isRight) return -10;
        }

        if (data.Length < 4 || data.Length < length) return NeedMore;
        return (length * 2) + (Server(data, length) is null ? 0 : 1);
    }

    protected override (string Ours, string Judges) Describe(byte[] data)
    {
        int length = (data[2] * 256) + data[3];
        string ours = RdpRequest.TryGetCookie(data, "MSTS"u8, out ReadOnlySpan<byte> value) && RdpRequest.TryGetServer(value, out PeerAddress server) ? server.ToString() : "-";
        return (ours, Server(data, length) ?? "-");
    }

    protected override void Repair(Random random, Span<byte> data)
    {
        if (data.Length is < 11 or > 259) return;
        (data[0], data[2], data[3], data[4], data[5]) = (3, (byte)(data.Length >> 8), (byte)data.Length, (byte)(data.Length - 5), 224);
        (data[6], data[7], data[10]) = (0, 0, 0);
    }

    private static string? Server(byte[] data, int length)
    {
        Match match = Cookie().Match(Encoding.Latin1.GetString(data, 11, length - 11));
        if (!match.Success || !uint.TryParse(match.Groups[1].ValueSpan, out uint address) || !ushort.TryParse(match.Groups[2].ValueSpan, out ushort port)) return null;
        return $"{address & 255}.{(address >> 8) & 255}.{(address >> 16) & 255}.{address >> 24}:{((port & 255) << 8) | (port >> 8)}";
    }

    [GeneratedRegex(@"\ACookie: [mM][sS][tT][sS]=(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.[^\r]*?(\r(?!\n)[^\r]*?)*\r\n", RegexOptions.Singleline)]
    private static partial Regex Cookie();
}
