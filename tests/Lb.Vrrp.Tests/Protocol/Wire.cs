namespace Lb.Vrrp.Tests;

/// <summary>Messages made byte by byte, with a checksum of their own: nothing here calls what is tested.</summary>
internal static class Wire
{
    public static readonly DateTimeOffset Utc = DateTimeOffset.FromUnixTimeSeconds(0x68000000);

    /// <summary>What most tests receive; made once, so that measuring memory does not see it.</summary>
    public static readonly VrrpDatagram From4 = From("10.77.0.1");

    public static PeerAddress Ip(string text) => PeerAddress.TryParse(text, out PeerAddress address) ? address : throw new ArgumentException(text, nameof(text));

    public static byte[] Bytes(params string[] addresses) => [.. addresses.SelectMany(static a => System.Net.IPAddress.Parse(a).GetAddressBytes())];

    public static byte[] Version3(byte routerId, byte priority, int centiseconds, byte[] addresses, int size = 4)
        => Summed([0x31, routerId, priority, (byte)(addresses.Length / size), (byte)(centiseconds >> 8), (byte)centiseconds, 0, 0, .. addresses]);

    public static byte[] Version2(byte routerId, byte priority, byte seconds, byte[] addresses, byte type = 0, string password = "")
        => Summed([0x21, routerId, priority, (byte)(addresses.Length / 4), type, seconds, 0, 0, .. addresses, .. System.Text.Encoding.ASCII.GetBytes(password.PadRight(8, '\0'))]);

    /// <summary>Puts the checksum over the message alone, added up as 16-bit words.</summary>
    public static byte[] Summed(byte[] message)
    {
        message[6] = message[7] = 0;
        int sum = 0;
        for (int i = 0; i < message.Length; i += 2)
        {
            sum += (message[i] << 8) + (i + 1 < message.Length ? message[i + 1] : 0);
            if (sum > 0xFFFF) sum -= 0xFFFF;
        }

        (message[6], message[7]) = ((byte)(~sum >> 8), (byte)~sum);
        return message;
    }

    public static VrrpDatagram From(string source, string destination = "224.0.0.18", int ttl = 255)
        => new() { Source = Ip(source), Destination = Ip(destination), TimeToLive = ttl };

    public static ReceiveRules Rules(int version = 3, VrrpAuthentication? authentication = null, bool? check = null, bool strict = false, bool alsoVersion2 = false) => new()
    {
        Version = version,
        RouterId = 51,
        Interval = TimeSpan.FromSeconds(1),
        Addresses = Bytes("10.77.0.200", "10.77.0.201"),
        Group = Ip("224.0.0.18"),
        Source = Ip("10.77.0.2"),
        Subnets = [new AddressPrefix(Ip("10.77.0.2"), 24)],
        Authentication = authentication,
        CheckAddresses = check,
        Strict = strict,
        AlsoVersion2 = alsoVersion2,
    };

    public static ReceiveFault Read(byte[] message, ReceiveRules rules, VrrpDatagram? datagram, out VrrpAdvertisement advert)
        => VrrpReader.Read(message, datagram ?? From("10.77.0.1"), rules, Utc, out advert);
}
