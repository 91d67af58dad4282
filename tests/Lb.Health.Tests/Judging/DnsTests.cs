using FsCheck;
using FsCheck.Fluent;

namespace Lb.Health.Tests.Judging;

[Trait("Row", "H13")]
public sealed class DnsTests
{
    // The example of RFC 1035, 4.1.4: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40, ARPA at 64, the root at 92.
    [Theory]
    [InlineData(20, "F.ISI.ARPA", 32)]
    [InlineData(40, "FOO.F.ISI.ARPA", 46)]
    [InlineData(64, "ARPA", 66)]
    [InlineData(92, "", 93)]
    public void Names_are_read_as_the_standard_shows(int at, string expected, int next)
    {
        byte[] packet = new byte[93];
        ((byte[])[1, .. "F"u8, 3, .. "ISI"u8, 4, .. "ARPA"u8, 0]).CopyTo(packet, 20);
        ((byte[])[3, .. "FOO"u8, 0xC0, 20]).CopyTo(packet, 40);
        ((byte[])[0xC0, 26]).CopyTo(packet, 64);
        Assert.True(DnsName.TryRead(packet, ref at, out string name));
        Assert.Equal((expected, next), (name, at));
    }

    [Theory]
    [InlineData("c000")]
    [InlineData("0161c000")]
    [InlineData("c002c000")]
    [InlineData("c0")]
    [InlineData("05616263")]
    [InlineData("4061")]
    [InlineData("8061")]
    [InlineData("")]
    [InlineData("0161")]
    public void Names_that_loop_or_are_cut_off_are_refused(string hex)
    {
        int at = 0;
        Assert.False(DnsName.TryRead(Convert.FromHexString(hex), ref at, out _));
    }

    [Fact]
    public void A_name_has_at_most_255_bytes_however_it_is_written()
    {
        // A chain of pointers, each beginning with a label: legal one by one, too long in all.
        List<byte> packet = [0];
        for (int at = 0; packet.Count < 4000;)
        {
            int here = packet.Count;
            packet.AddRange([60, .. Enumerable.Repeat((byte)'a', 60), (byte)(0xC0 | (at >> 8)), (byte)at]);
            at = here;
        }

        int good = 1 + (63 * 3), bad = 1 + (63 * 4);
        Assert.True(DnsName.TryRead(packet.ToArray(), ref good, out string name));
        Assert.Equal(4 * 61 - 1, name.Length);
        Assert.False(DnsName.TryRead(packet.ToArray(), ref bad, out _));
    }

    [Theory]
    [InlineData(".", "00")]
    [InlineData("www.example.", "0377777707657861 6d706c6500")]
    [InlineData("a..b", null)]
    [InlineData("..", null)]
    [InlineData("a b", null)]
    [InlineData("é", null)]
    [InlineData("", null)]
    public void Names_are_written_as_labels(string name, string? hex)
    {
        Assert.Equal(hex is not null, DnsName.TryEncode(name, out byte[] wire));
        if (hex is not null) Assert.Equal(hex.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(wire));
    }

    [Fact]
    public void Long_names_are_refused()
    {
        Assert.True(DnsName.TryEncode(new string('a', 63), out _));
        Assert.False(DnsName.TryEncode(new string('a', 64), out _));
        Assert.True(DnsName.TryEncode(string.Join('.', Enumerable.Repeat(new string('a', 49), 5)), out _));
        Assert.False(DnsName.TryEncode(string.Join('.', Enumerable.Repeat(new string('a', 63), 4)), out _));
    }

    // Records by hand, after RFC 1035 3.3, RFC 3596 2.2 and RFC 2782; c00c points to the question's name.
    [Theory]
    [InlineData("A", "192.0.2.1", "0001 0001 00000000 0004 c0000201")]
    [InlineData("AAAA", "2001:db8::1", "001c 0001 00000000 0010 20010db8000000000000000000000001")]
    [InlineData("NS", "ns.x.test", "0002 0001 00000000 0005 026e73 c00c")]
    [InlineData("CNAME", "x.test.", "0005 0001 00000000 0002 c00c")]
    [InlineData("PTR", "X.TEST", "000c 0001 00000000 0002 c00c")]
    [InlineData("MX", "mx.x.test", "000f 0001 00000000 0007 000a 026d78 c00c")]
    [InlineData("SRV", "s.x.test", "0021 0001 00000000 000a 0000 0000 0050 0173 c00c")]
    [InlineData("SOA", "x.test", "0006 0001 00000000 0018 c00c c00c 0000000100000002000000030000000400000005")]
    [InlineData("TXT", "v=spf1 -all", "0010 0001 00000000 000d 06 763d73706631 05 202d616c6c")]
    public void Every_kind_of_record_is_read(string type, string answer, string record)
    {
        DnsQuestion question = Question(type, answer, minAnswers: 1);
        Assert.Null(Read(question, Packet(question, "8180", 1, "c00c" + record)).Judge(question));
        DnsQuestion other = Question(type, type is "A" ? "192.0.2.2" : type is "AAAA" ? "2001:db8::2" : "other.test", minAnswers: 1);
        Assert.Equal("no record is the one expected", Read(other, Packet(other, "8180", 1, "c00c" + record)).Judge(other));
        Assert.Equal("no record is the one expected in an answer that was cut off", Read(other, Packet(other, "8380", 2, "c00c" + record + "c0")).Judge(other));
        Assert.Equal("bad record", Error(question, Packet(question, "8180", 2, "c00c" + record)));
        DnsQuestion two = Question(type, null, minAnswers: 2);
        Assert.Equal("1 records, fewer than 2", Read(two, Packet(two, "8180", 1, "c00c" + record)).Judge(two));
    }

    [Theory]
    [InlineData("0100", "not an answer")]
    [InlineData("9180", "not an answer")]
    public void Other_messages_are_refused(string flags, string error) => Assert.Equal(error, Error(Question("A", null), Packet(Question("A", null), flags, 0, "")));

    [Fact]
    public void The_question_must_be_ours()
    {
        DnsQuestion mine = Question("A", null);
        Assert.Equal("answer to another question", Error(mine, Packet(Question("AAAA", null), "8180", 0, "")));
        Assert.Equal("answer to another question", Error(mine, Packet(mine with { Name = [1, (byte)'y', 4, .. "test"u8, 0] }, "8180", 0, "")));
        Assert.Equal(0, Read(mine, Packet(mine with { Name = [1, (byte)'X', 4, .. "TEST"u8, 0] }, "8180", 0, "")).Rcode);

        // A server that refuses may leave it out, one that agrees may not.
        Assert.Equal(5, Read(mine, Convert.FromHexString("123481850000000000000000")).Rcode);
        Assert.Equal("answer to another question", Error(mine, Convert.FromHexString("123481800000000000000000")));
        Assert.Equal("cut off", Error(mine, Convert.FromHexString("1234818000")));
    }

    [Fact]
    public void Any_bytes_are_read_without_a_fault()
    {
        DnsQuestion[] questions = [.. ((string[])["A", "AAAA", "NS", "MX", "SRV", "SOA", "TXT", "ANY", "257"]).Select(t => Question(t, null))];
        Gen<byte[]> bytes = ArbMap.Default.GeneratorFor<byte>().ArrayOf();

        // Mostly a good beginning, so that the records are reached; pointers and lengths are frequent among the bytes.
        Gen<byte> telling = Gen.Frequency((3, ArbMap.Default.GeneratorFor<byte>()), (2, Gen.Elements<byte>(0, 1, 0xC0, 12, 16, 28)));
        Gen<(DnsQuestion Question, byte[] Packet)> cases =
            from question in Gen.Elements(questions)
            from start in Gen.Elements(Packet(question, "8180", 3, ""), Packet(question, "8380", 65535, ""), [])
            from rest in telling.ArrayOf()
            from more in bytes
            select (question, (byte[])[.. start, .. rest, .. more]);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000).WithReplay(20260727, 1), Prop.ForAll(cases.ToArbitrary(), static c =>
        {
            bool good = DnsReply.TryRead(c.Question, c.Packet, out DnsReply reply, out string error);
            Assert.Equal(good, error.Length == 0);

            // A record takes 11 bytes at least, so there can't be more of them.
            Assert.True(reply.Records.Count <= c.Packet.Length / 11);
            Assert.True(reply.Records.Sum(static r => r.Length) <= 255 * 4 * (1 + reply.Records.Count) + c.Packet.Length);
            _ = reply.Judge(c.Question);
        }));
    }

    [Theory]
    [InlineData("Name", "a..b")]
    [InlineData("Type", "FOO")]
    [InlineData("Type", "0")]
    [InlineData("Rcode", "16")]
    [InlineData("Rcode", "WHAT")]
    [InlineData("Answer", "::1")]
    public void Faults_of_a_question_are_named(string key, string value)
    {
        CheckDnsOptions options = new() { Type = "A" };
        typeof(CheckDnsOptions).GetProperty(key)!.SetValue(options, value);
        List<ConfigurationError> errors = [];
        Assert.False(DnsQuestion.TryRead("p", options, errors, out _));
        Assert.Equal($"p:Dns:{key}", Assert.Single(errors).Path);
        Assert.Throws<ArgumentException>(() => new DnsChecker(new CheckOptions { Dns = options }));
    }

    private static DnsQuestion Question(string type, string? answer, int minAnswers = 0)
    {
        List<ConfigurationError> errors = [];
        Assert.True(DnsQuestion.TryRead("p", new CheckDnsOptions { Name = "x.test", Type = type, Answer = answer, MinAnswers = minAnswers }, errors, out DnsQuestion? question), string.Concat(errors));
        return question;
    }

    private static byte[] Packet(DnsQuestion question, string flags, int answers, string records) =>
        [0x12, 0x34, .. Convert.FromHexString(flags), 0, 1, (byte)(answers >> 8), (byte)answers, 0, 0, 0, 0, .. question.Name, (byte)(question.Type >> 8), (byte)question.Type, 0, 1, .. Convert.FromHexString(records.Replace(" ", "", StringComparison.Ordinal))];

    private static DnsReply Read(DnsQuestion question, byte[] packet)
    {
        Assert.True(DnsReply.TryRead(question, packet, out DnsReply reply, out string error), error);
        return reply;
    }

    private static string Error(DnsQuestion question, byte[] packet)
    {
        Assert.False(DnsReply.TryRead(question, packet, out _, out string error));
        return error;
    }
}
