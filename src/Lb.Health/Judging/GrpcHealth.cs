using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Lb.Health;

/// <summary>The messages of <c>grpc.health.v1.Health/Check</c>, with the five bytes that gRPC puts before each. Pure.</summary>
internal static class GrpcHealth
{
    public const string Path = "/grpc.health.v1.Health/Check";

    /// <summary>The longest answer taken.</summary>
    public const int LongestAnswer = 4096;

    private const int PrefixLength = 5;
    private static readonly string[] States = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

    // The codes of gRPC, by number.
    private static readonly string[] Codes =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    /// <summary>The request: field 1 is the service's name; an empty one is left out.</summary>
    public static byte[] Request(string service)
    {
        byte[] name = Encoding.UTF8.GetBytes(service);
        List<byte> message = [];
        if (name.Length > 0)
        {
            message.Add(0x0A);
            for (uint rest = (uint)name.Length; ; rest >>= 7)
            {
                message.Add((byte)(rest < 0x80 ? rest : (rest & 0x7F) | 0x80));
                if (rest < 0x80) break;
            }

            message.AddRange(name);
        }

        byte[] request = new byte[PrefixLength + message.Count];
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(1), message.Count);
        message.CopyTo(request, PrefixLength);
        return request;
    }

    /// <summary>Judges the body of an answer whose status is OK: field 1 says whether the service serves; left out it is 0.</summary>
    /// <param name="body">All of it.</param>
    public static ProbeResult Judge(ReadOnlySpan<byte> body)
    {
        if (body.Length < PrefixLength || body[0] != 0 || BinaryPrimitives.ReadUInt32BigEndian(body[1..]) != body.Length - PrefixLength)
            return new ProbeResult(CheckStatus.Layer7Response, 0, body.IsEmpty ? "no message" : "not one whole message");
        if (!TryReadState(body[PrefixLength..], out ulong state)) return new ProbeResult(CheckStatus.Layer7Response, 0, "a message that can't be read");
        string name = state < (ulong)States.Length ? States[state] : string.Create(CultureInfo.InvariantCulture, $"state {state}");
        return new ProbeResult(state == 1 ? CheckStatus.Layer7Ok : CheckStatus.Layer7Status, 0, name);
    }

    /// <summary>Judges a status that is not OK.</summary>
    /// <param name="status">The header <c>grpc-status</c>; null when there is none.</param>
    /// <param name="message">The header <c>grpc-message</c>.</param>
    public static ProbeResult JudgeStatus(string? status, string? message)
    {
        if (!int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out int code))
            return new ProbeResult(CheckStatus.Layer7Response, 0, status is null ? "no grpc-status" : "a grpc-status that is no number");
        string name = code < Codes.Length ? Codes[code] : "an unknown code";
        string why = code switch
        {
            5 => "the service is not known",
            12 => "there is no health service",
            _ => "",
        };
        if (!string.IsNullOrEmpty(message)) why = Uri.UnescapeDataString(message);
        return new ProbeResult(CheckStatus.Layer7Status, code, why.Length == 0 ? name : $"{name}: {why}");
    }

    private static bool TryReadState(ReadOnlySpan<byte> message, out ulong state)
    {
        state = 0;
        while (!message.IsEmpty)
        {
            if (!TryReadNumber(ref message, out ulong tag) || tag >> 3 == 0) return false;
            ulong size = 0;
            switch (tag & 7)
            {
                case 0:
                    if (!TryReadNumber(ref message, out ulong value)) return false;
                    if (tag >> 3 == 1) state = value;
                    continue;
                case 1:
                    size = 8;
                    break;
                case 2 when !TryReadNumber(ref message, out size):
                    return false;
                case 2:
                    break;
                case 5:
                    size = 4;
                    break;
                default:
                    return false;
            }

            if (size > (ulong)message.Length) return false;
            message = message[(int)size..];
        }

        return true;
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> data, out ulong number)
    {
        number = 0;
        for (int i = 0; i < 10 && i < data.Length; i++)
        {
            number |= (ulong)(data[i] & 0x7F) << (7 * i);
            if (data[i] >= 0x80) continue;
            data = data[(i + 1)..];
            return true;
        }

        return false;
    }
}
