using System.Net;
using System.Text;

namespace Lb.Core.Tests.ProxyProtocol;

[Trait("Row", "T9")]
public sealed class ProxyHeaderWriterTests
{
    [Theory]
    [InlineData("192.168.0.1:56324", "192.168.0.11:443", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")]
    [InlineData("[2001:db8::1]:1", "[::1]:65535", "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n")]
    [InlineData("192.168.0.1:56324", "[::1]:443", "PROXY UNKNOWN\r\n")]
    [InlineData("", "192.168.0.11:443", "PROXY UNKNOWN\r\n")]
    [InlineData("192.168.0.1:56324", "", "PROXY UNKNOWN\r\n")]
    public void Version_1_is_a_line(string source, string destination, string line)
    {
        byte[] buffer = new byte[ProxyHeader.MaxLineLength];
        Assert.Equal(line, Encoding.ASCII.GetString(buffer, 0, ProxyHeaderWriter.WriteLine(buffer, Address(source), Address(destination))));
    }

    [Theory]
    [InlineData("192.0.2.1:56324", "192.0.2.11:443", false, "0d0a0d0a000d0a515549540a2111000cc0000201c000020bdc0401bb")]
    [InlineData("192.0.2.1:56324", "192.0.2.11:443", true, "0d0a0d0a000d0a515549540a2112000cc0000201c000020bdc0401bb")]
    [InlineData("192.0.2.1:56324", "[2001:db8::2]:443", false, "0d0a0d0a000d0a515549540a2121002400000000000000000000ffffc000020120010db8000000000000000000000002dc0401bb")]
    [InlineData("", "192.0.2.11:443", false, "0d0a0d0a000d0a515549540a21000000")]
    public void Version_2_is_written_as_the_specification_lays_it_out(string source, string destination, bool isDatagram, string expected)
    {
        byte[] buffer = new byte[64];
        ProxyHeaderWriter writer = new(buffer, Address(source), Address(destination), isDatagram);
        Assert.Equal(expected, Convert.ToHexStringLower(buffer, 0, writer.Finish()));
    }

    // Bytes of the specification, 2.1 and 2.2: LOCAL, AF_UNSPEC, no length.
    [Fact]
    public void Connections_of_our_own_say_so()
    {
        Assert.Equal("PROXY UNKNOWN\r\n"u8, ProxyHeaderWriter.UnknownLine);
        Assert.Equal("0d0a0d0a000d0a515549540a20000000", Convert.ToHexStringLower(ProxyHeaderWriter.Local));
        Assert.Equal((ProxyHeaderResult.Done, true), (ProxyHeader.Read(ProxyHeaderWriter.Local, out ProxyHeader header), header.IsLocal));
    }

    [Fact]
    public void Values_are_read_as_they_were_written()
    {
        byte[] buffer = new byte[512];
        ProxyHeaderWriter writer = new(buffer, Address("192.0.2.1:1"), Address("192.0.2.2:2"));
        writer.Add(ProxyTlvType.Alpn, "h2"u8);
        writer.Add(ProxyTlvType.Authority, "a.example"u8);
        writer.Add(ProxyTlvType.UniqueId, new byte[128]);
        writer.AddTls(new ProxyTls { Client = ProxyTlsClient.Tls, Verify = 1, Version = "TLSv1.3"u8, CommonName = "me"u8 });
        int length = writer.Finish(addChecksum: true);

        Assert.Equal((ProxyHeaderResult.Done, length), (ProxyHeader.Read(buffer, out ProxyHeader header), header.Length));
        List<ProxyTlvType> types = [];
        foreach (ProxyTlv tlv in header.Tlvs) types.Add(tlv.Type);
        Assert.Equal([ProxyTlvType.Alpn, ProxyTlvType.Authority, ProxyTlvType.UniqueId, ProxyTlvType.Tls, ProxyTlvType.Crc32C], types);
        Assert.True(header.Tlvs.TryGet(ProxyTlvType.Authority, out ReadOnlySpan<byte> authority));
        Assert.Equal("a.example"u8, authority);
        Assert.True(header.Tlvs.TryGetTls(out ProxyTls tls));
        Assert.Equal(("TLSv1.3", "me", "", 1u), (Encoding.ASCII.GetString(tls.Version), Encoding.ASCII.GetString(tls.CommonName), Encoding.ASCII.GetString(tls.Cipher), tls.Verify));
        buffer[20] ^= 1;
        Assert.Equal(ProxyHeaderResult.BadChecksum, ProxyHeader.Read(buffer, out _));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(static () => ProxyHeaderWriter.WriteLine(new byte[106], default, default));
        Assert.Throws<ArgumentException>(static () => new ProxyHeaderWriter(new byte[27], Address("192.0.2.1:1"), Address("192.0.2.2:2")));
        Assert.Throws<ArgumentException>(static () => new ProxyHeaderWriter(new byte[40], default, default).Add(ProxyTlvType.Noop, new byte[22]));
        Assert.Throws<ArgumentException>(static () => new ProxyHeaderWriter(new byte[400], default, default).Add(ProxyTlvType.UniqueId, new byte[129]));
        Assert.Throws<ArgumentException>(static () => new ProxyHeaderWriter(new byte[8000], default, default).Add(ProxyTlvType.Noop, new byte[4090]));
        Assert.Throws<ArgumentException>(static () => new ProxyHeaderWriter(new byte[400], default, default).Add(ProxyTlvType.Crc32C, new byte[4]));
    }

    // Judged by the framework's own text of the same address. Those that it writes with IPv4 at the end are left out: hexadecimal is as good.
    [Fact]
    public void Addresses_of_version_6_are_written_as_the_framework_writes_them_and_read_back()
    {
        Random random = new(1);
        Span<byte> bytes = stackalloc byte[16];
        Span<byte> text = stackalloc byte[AddressText.MaxV6Length];
        Span<byte> back = stackalloc byte[16];
        int compared = 0;
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            for (int group = 0; group < 8; group++)
            {
                if (random.Next(2) == 0) bytes.Slice(group * 2, 2).Clear();
            }

            string written = Encoding.ASCII.GetString(text[..AddressText.WriteV6(bytes, text)]);
            Assert.True(AddressText.TryReadV6(Encoding.ASCII.GetBytes(written), back), written);
            Assert.Equal(bytes, back);
            string framework = new IPAddress(bytes).ToString();
            Assert.True(AddressText.TryReadV6(Encoding.ASCII.GetBytes(framework), back), framework);
            Assert.Equal(bytes, back);
            if (framework.Contains('.', StringComparison.Ordinal)) continue;
            Assert.Equal(framework, written);
            compared++;
        }

        Assert.True(compared > 19_000, $"{compared}");
    }

    [Fact]
    public void Writing_and_reading_allocate_nothing()
    {
        byte[] buffer = new byte[512];
        PeerAddress source = Address("[2001:db8::1]:1"), destination = Address("[2001:db8::2]:2");
        long allocated = 0;
        int length = 0;
        for (int i = 0; i < 200; i++)
        {
            if (i == 100) allocated = GC.GetAllocatedBytesForCurrentThread();
            length += ProxyHeaderWriter.WriteLine(buffer, source, destination);
            ProxyHeader.Read(buffer, out ProxyHeader line);
            ProxyHeaderWriter writer = new(buffer, source, destination);
            writer.Add(ProxyTlvType.Authority, "a.example"u8);
            length += writer.Finish(addChecksum: true);
            ProxyHeader.Read(buffer, out ProxyHeader block);
            length += line.Length + block.Length;
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Equal((0L, true), (allocated, length > 0));
    }

    private static PeerAddress Address(string text) => PeerAddress.TryParse(text, out PeerAddress address) ? address : default;
}
