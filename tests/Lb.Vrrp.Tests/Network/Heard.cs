namespace Lb.Vrrp.Tests;

/// <summary>One message as a receiver has handed it out, and the messages that tests send.</summary>
internal sealed record Heard(byte[] Bytes, VrrpDatagram Datagram)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static PeerAddress Group4 { get; } = Address("224.0.0.18");

    public static PeerAddress Group6 { get; } = Address("ff02::12");

    public static PeerAddress Address(string text) => PeerAddress.TryParse(text, out PeerAddress address) ? address : throw new FormatException(text);

    /// <summary>A message of version 3 that names one virtual address; its checksum is the bare one.</summary>
    public static byte[] Message(byte routerId, string address = "10.0.0.100")
    {
        PeerAddress named = Address(address);
        byte[] message = new byte[8 + named.Length];
        (message[0], message[1], message[2], message[3], message[5]) = (0x31, routerId, 100, 1, 100);
        named.WriteBytes(message.AsSpan(8));
        SetChecksum(message, 0);
        return message;
    }

    /// <summary>The checksum as RFC 1071 has it, computed in the plainest way.</summary>
    public static void SetChecksum(byte[] message, long pseudoHeader)
    {
        message[6] = message[7] = 0;
        long sum = Total(message, pseudoHeader);
        message[6] = (byte)(~sum >> 8);
        message[7] = (byte)~sum;
    }

    /// <summary>0xFFFF when the checksum is right.</summary>
    public static long Total(byte[] message, long pseudoHeader)
    {
        long sum = Sum(message) + pseudoHeader;
        while (sum > 0xFFFF) sum = (sum >> 16) + (sum & 0xFFFF);
        return sum;
    }

    public static long PseudoHeader(string source, string destination, int length)
    {
        byte[] addresses = new byte[32];
        int half = Address(source).WriteBytes(addresses);
        Address(destination).WriteBytes(addresses.AsSpan(half));
        return Sum(addresses) + 112 + length;
    }

    /// <summary>Waits for the next message, as long as a slow machine may need.</summary>
    public static Heard? Next(IVrrpReceiver receiver)
    {
        using Poller poller = new();
        poller.Add(receiver.Descriptor);
        TimeSpan deadline = Clocks.Monotonic() + Patience;
        byte[] buffer = new byte[DatagramReader.Capacity];
        do
        {
            if (receiver.TryReceive(buffer, out int length, out VrrpDatagram datagram)) return new Heard(buffer[..length], datagram);
            poller.Wait(deadline);
        }
        while (Clocks.Monotonic() < deadline);
        return null;
    }

    private static long Sum(byte[] bytes)
    {
        long sum = 0;
        for (int i = 0; i < bytes.Length; i++) sum += (long)bytes[i] << (i % 2 == 0 ? 8 : 0);
        return sum;
    }
}
