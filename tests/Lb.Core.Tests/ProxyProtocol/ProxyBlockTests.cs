using System.Text;

namespace Lb.Core.Tests.ProxyProtocol;

/// <summary>Version 2, against proxy-protocol.txt, 2.2. The headers are written down byte by byte from there.</summary>
[Trait("Row", "T8")]
public sealed class ProxyBlockTests
{
    private const string Signature = "0d0a0d0a000d0a515549540a";
    private const string Addresses4 = "c0000201c000020bdc0401bb";

    [Theory]
    [InlineData("2111000c" + Addresses4, ProxyFamily.Tcp4, "192.0.2.1:56324", "192.0.2.11:443")]
    [InlineData("2112000c" + Addresses4, ProxyFamily.Udp4, "192.0.2.1:56324", "192.0.2.11:443")]
    [InlineData("21210024" + "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "dc0401bb", ProxyFamily.Tcp6, "[2001:db8::1]:56324", "[2001:db8::2]:443")]
    [InlineData("21220024" + "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "dc0401bb", ProxyFamily.Udp6, "[2001:db8::1]:56324", "[2001:db8::2]:443")]
    [InlineData("21000000", ProxyFamily.Unspecified, "-", "-")]
    [InlineData("21000003ffffff", ProxyFamily.Unspecified, "-", "-")]
    [InlineData("2110000c" + Addresses4, ProxyFamily.Unspecified, "-", "-")]
    public void Headers_of_every_family_are_read(string rest, ProxyFamily family, string source, string destination)
    {
        byte[] data = Convert.FromHexString(Signature + rest + "16030100");
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out ProxyHeader header));
        Assert.Equal((data.Length - 4, 2, false, family), (header.Length, header.Version, header.IsLocal, header.Family));
        Assert.Equal((source, destination), (header.Source.ToString(), header.Destination.ToString()));
        for (int i = 0; i < header.Length; i++) Assert.Equal(ProxyHeaderResult.NeedMore, ProxyHeader.Read(data.AsSpan(0, i), out _));
    }

    [Theory]
    [InlineData(0x31, ProxyFamily.UnixStream)]
    [InlineData(0x32, ProxyFamily.UnixDatagram)]
    public void Unix_sockets_have_no_address_and_keep_their_values(byte family, ProxyFamily expected)
    {
        byte[] data = [.. Convert.FromHexString(Signature), 0x21, family, 0, 216 + 5, .. new byte[216], 2, 0, 2, (byte)'h', (byte)'i'];
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out ProxyHeader header));
        Assert.Equal((expected, true, true), (header.Family, header.Source.IsEmpty, header.Tlvs.TryGet(ProxyTlvType.Authority, out ReadOnlySpan<byte> name)));
        Assert.Equal("hi", Encoding.ASCII.GetString(name));
    }

    [Theory]
    [InlineData("20000000")]
    [InlineData("2011000c" + Addresses4)]
    [InlineData("20ff0005ffffffffff")]
    public void Of_a_connection_of_the_senders_own_nothing_is_looked_at(string rest)
    {
        byte[] data = Convert.FromHexString(Signature + rest);
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out ProxyHeader header));
        Assert.Equal((data.Length, true, true), (header.Length, header.IsLocal, header.Source.IsEmpty));
    }

    [Theory]
    [InlineData("11", ProxyHeaderResult.BadVersion)]
    [InlineData("31", ProxyHeaderResult.BadVersion)]
    [InlineData("22", ProxyHeaderResult.BadCommand)]
    [InlineData("2f", ProxyHeaderResult.BadCommand)]
    [InlineData("2141", ProxyHeaderResult.BadFamily)]
    [InlineData("2113", ProxyHeaderResult.BadFamily)]
    [InlineData("21110ff1", ProxyHeaderResult.TooLong)]
    [InlineData("2000ffff", ProxyHeaderResult.TooLong)]
    [InlineData("2111000b", ProxyHeaderResult.TooShort)]
    [InlineData("21210023", ProxyHeaderResult.TooShort)]
    [InlineData("213100d7", ProxyHeaderResult.TooShort)]
    [InlineData("2111000e" + Addresses4 + "0400", ProxyHeaderResult.BadTlv)]
    [InlineData("2111000f" + Addresses4 + "040001", ProxyHeaderResult.BadTlv)]
    [InlineData("21110012" + Addresses4 + "030003000000", ProxyHeaderResult.BadTlv)]
    [InlineData("21110013" + Addresses4 + "03000412345678", ProxyHeaderResult.BadChecksum)]
    [InlineData("21110013" + Addresses4 + "20000401000000", ProxyHeaderResult.BadTlv)]
    [InlineData("21110016" + Addresses4 + "2000070100000000" + "2100", ProxyHeaderResult.BadTlv)]
    public void Wrong_headers_are_refused_and_why_is_told(string rest, ProxyHeaderResult expected)
    {
        byte[] data = Convert.FromHexString(Signature + rest);
        Assert.Equal(expected, ProxyHeader.Read(data, out _));
        Assert.Equal(ProxyHeaderResult.NeedMore, ProxyHeader.Read(data.AsSpan(0, data.Length - 1), out _));
    }

    [Fact]
    public void The_longest_header_has_4096_bytes()
    {
        byte[] data = [.. Convert.FromHexString(Signature + "21110ff0" + Addresses4), 4, 0x0F, 0xE1, .. new byte[0xFE1]];
        Assert.Equal(ProxyHeader.MaxLength, data.Length);
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out _));
    }

    [Theory]
    [InlineData(128, ProxyHeaderResult.Done)]
    [InlineData(129, ProxyHeaderResult.BadTlv)]
    public void A_unique_id_has_128_bytes_at_most(int length, ProxyHeaderResult expected)
    {
        byte[] data = [.. Convert.FromHexString(Signature), 0x21, 0x11, 0, (byte)(12 + 3 + length), .. Convert.FromHexString(Addresses4), 5, 0, (byte)length, .. new byte[length]];
        Assert.Equal(expected, ProxyHeader.Read(data, out _));
    }

    // The check value of CRC-32C over what is written down here is computed bit by bit, by the reflected polynomial of RFC 4960.
    [Fact]
    public void A_checksum_is_checked_over_every_byte_and_comes_once()
    {
        byte[] data = [.. Convert.FromHexString(Signature + "2111001a" + Addresses4), 5, 0, 4, 1, 2, 3, 4, 3, 0, 4, 0, 0, 0, 0];
        uint crc = Bitwise(data);
        for (int i = 0; i < 4; i++) data[^(4 - i)] = (byte)(crc >> (24 - (8 * i)));
        Assert.Equal(0xE3069283u, Bitwise("123456789"u8));
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out _));
        for (int i = 16; i < data.Length; i++)
        {
            // Its own type: then it is no checksum any more, but a value that nobody knows.
            if (i == data.Length - 7) continue;
            byte[] changed = [.. data];
            changed[i] ^= 0x10;
            Assert.NotEqual(ProxyHeaderResult.Done, ProxyHeader.Read(changed, out _));
        }

        byte[] twice = [.. data, 3, 0, 4, 0, 0, 0, 0];
        twice[15] += 7;
        Assert.Equal(ProxyHeaderResult.BadTlv, ProxyHeader.Read(twice, out _));

        static uint Bitwise(ReadOnlySpan<byte> bytes)
        {
            uint crc = uint.MaxValue;
            foreach (byte b in bytes)
            {
                crc ^= b;
                for (int i = 0; i < 8; i++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }

            return ~crc;
        }
    }

    [Fact]
    public void All_that_is_said_of_the_clients_tls_is_found()
    {
        byte[] inner = [.. "!\0\u0007TLSv1.3\"\0\u000bexample.com#\0\u0002C1$\0\u0002S1%\0\u0002K1"u8];
        byte[] tls = [0x20, 0, (byte)(5 + inner.Length), 3, 0, 0, 0, 9, .. inner];
        byte[] data = [.. Convert.FromHexString(Signature), 0x21, 0x11, 0, (byte)(12 + tls.Length), .. Convert.FromHexString(Addresses4), .. tls];
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out ProxyHeader header));
        Assert.True(header.Tlvs.TryGetTls(out ProxyTls found));
        Assert.Equal((ProxyTlsClient.Tls | ProxyTlsClient.CertificateOnConnection, 9u), (found.Client, found.Verify));
        Assert.Equal(
            ("TLSv1.3", "example.com", "C1", "S1", "K1"),
            (Text(found.Version), Text(found.CommonName), Text(found.Cipher), Text(found.SignatureAlgorithm), Text(found.KeyAlgorithm)));

        static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}
