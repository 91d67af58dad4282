using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Lb.Interop.Tests.Peers;
using Lb.Vrrp.Tests;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>Adverts, ARP and neighbour advertisements as they were seen in a namespace.</summary>
internal sealed class Capture : IDisposable
{
    private readonly Socket _socket;

    public Capture(TestNamespace space)
    {
        _socket = space.Run(KernelSocket.OpenFrames);
        _ = KernelSocket.ReadAsync(_socket, bytes =>
        {
            if (bytes.Length >= 34 && new Frame(bytes) is { IsOfInterest: true } frame) Frames.Add(frame);
        });
    }

    public Heard<Frame> Frames { get; } = new();

    /// <summary>Has tshark look at all adverts.</summary>
    /// <returns>How many it finds, and what it says of those whose checksum it does not find good.</returns>
    public async Task<(int Adverts, string Bad)> JudgeAsync()
    {
        using PeerHome home = new();
        string path = home.PathOf("adverts.pcap");
        Frame[] adverts = [.. Frames.All.Where(static f => f.IsAdvert)];
        await using (FileStream file = File.Create(path))
        {
            // Magic number, version 2.4, time zone, accuracy, longest frame, Ethernet.
            foreach (uint word in new uint[] { 0xA1B2C3D4, 0x00040002, 0, 0, 65535, 1 }) file.Write(BitConverter.GetBytes(word));
            foreach (Frame advert in adverts)
            {
                foreach (int word in new[] { 0, 0, advert.Bytes.Length, advert.Bytes.Length }) file.Write(BitConverter.GetBytes(word));
                file.Write(advert.Bytes);
            }
        }

        string found = await Peer.RunAsync(home, ["/usr/bin/tshark", "-r", path, "-T", "fields", "-e", "vrrp.checksum.status", "-e", "vrrp.virt_rtr_id", "-e", "_ws.col.Info"]);
        string[] lines = [.. found.Split('\n').Where(static l => l.Contains('\t', StringComparison.Ordinal))];
        return (lines.Length, string.Join('\n', lines.Where(static l => !l.StartsWith("1\t", StringComparison.Ordinal))));
    }

    public void Dispose() => _socket.Dispose();
}

/// <summary>One Ethernet frame.</summary>
internal sealed class Frame(byte[] bytes)
{
    public byte[] Bytes => bytes;

    public string To => Mac(0);

    public string From => Mac(6);

    public int Type => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(12));

    public bool IsV6 => Type == 0x86DD;

    public bool IsOfInterest => IsAdvert || IsArp || IsNeighbor;

    /// <summary>IP protocol 112.</summary>
    public bool IsAdvert => Type == 0x0800 ? bytes[23] == 112 : IsV6 && bytes.Length > 54 && bytes[20] == 112;

    /// <summary>The VRRP message of an advert.</summary>
    public ReadOnlySpan<byte> Message => bytes.AsSpan(IsV6 ? 54 : 14 + (bytes[14] & 15) * 4);

    public string Source => Address(IsV6 ? 22 : 26);

    public string Destination => Address(IsV6 ? 38 : 30);

    /// <summary>TTL or hop limit.</summary>
    public int Hops => IsV6 ? bytes[21] : bytes[22];

    /// <summary>Type of service or traffic class.</summary>
    public int Service => IsV6 ? (byte)(bytes[14] << 4 | bytes[15] >> 4) : bytes[15];

    public bool IsArp => Type == 0x0806;

    /// <summary>1 = question, 2 = answer.</summary>
    public int ArpOperation => bytes[21];

    public string ArpSenderMac => Mac(22);

    public string ArpSender => new IPAddress(bytes.AsSpan(28, 4)).ToString();

    public string ArpTarget => new IPAddress(bytes.AsSpan(38, 4)).ToString();

    /// <summary>An ICMPv6 neighbour advertisement.</summary>
    public bool IsNeighbor => IsV6 && bytes.Length >= 78 && bytes[20] == 58 && bytes[54] == 136;

    /// <summary>R, S and O as the bits 4, 2 and 1.</summary>
    public int NeighborFlags => bytes[58] >> 5;

    public string NeighborTarget => Address(62, 16);

    /// <summary>The MAC address in its option; null = it has none.</summary>
    public string? NeighborMac => bytes.Length >= 86 && bytes[78] == 2 ? Mac(80) : null;

    public override string ToString() => $"{From} > {To} {Type:x4} {Convert.ToHexStringLower(bytes.AsSpan(14, Math.Min(bytes.Length - 14, 64)))}";

    private string Mac(int at) => string.Join(':', bytes.Skip(at).Take(6).Select(static b => $"{b:x2}"));

    private string Address(int at, int length = 0) => new IPAddress(bytes.AsSpan(at, length > 0 ? length : IsV6 ? 16 : 4)).ToString();
}
