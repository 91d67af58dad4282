using System.Text;

namespace Lb.Core.Tests;

/// <summary>Which bytes of a request the hash policies take; the golden files prove the rest.</summary>
public class RequestKeyTests
{
    [Theory]
    [InlineData("http://example.org/a/b?c", "/a/b?c")]
    [InlineData("http://example.org", "/")]
    [Trait("Row", "S10")]
    public void PathOnlyMakesAbsoluteAndOriginFormAlike(string absolute, string origin)
    {
        UriKey key = new(0, 0, whole: true, pathOnly: true);
        Assert.True(key.TryHash(Context(target: absolute), HashFunction.Sdbm, out uint one));
        Assert.True(key.TryHash(Context(target: origin), HashFunction.Sdbm, out uint two));
        Assert.Equal(two, one);
    }

    [Theory]
    [InlineData("/x?a=1&id=42&b=2", "", false, "42")]
    [InlineData("/x?xid=1&id=42", "", false, "42")]
    [InlineData("/x?id=", "", false, null)]
    [InlineData("/x", "a=1&id=42", false, null)]
    [InlineData("/x", "a=1&id=42", true, "42")]
    [InlineData("/x?id=7", "id=42", true, "7")]
    [Trait("Row", "S11")]
    public void AParameterIsFoundByItsWholeName(string target, string body, bool checkPost, string? value)
    {
        ParameterKey key = new("id"u8.ToArray(), checkPost);
        bool found = key.TryHash(Context(target, body: body), HashFunction.Crc32, out uint hash);
        Assert.Equal(value is not null, found);
        if (value is not null) Assert.Equal(KeyHash.Crc32(Encoding.ASCII.GetBytes(value)), hash);
    }

    [Fact]
    [Trait("Row", "S13")]
    public void TheCookieOfARemoteDesktopClientIsFound()
    {
        RdpCookieKey key = new("mstshash"u8.ToArray());
        Assert.True(key.TryHash(Context(first: Rdp("Cookie: mstshash=alice\r\n")), HashFunction.Crc32, out uint hash));
        Assert.Equal(KeyHash.Crc32("alice"u8), hash);
        Assert.False(key.TryHash(Context(first: Rdp("Cookie: msts=1\r\n")), HashFunction.Crc32, out _));
        Assert.False(key.TryHash(Context(first: Rdp("Cookie: mstshash=alice")), HashFunction.Crc32, out _));
        Assert.False(key.TryHash(Context(first: "GET / HTTP/1.1\r\n\r\n"u8.ToArray()), HashFunction.Crc32, out _));
        Assert.False(key.TryHash(Context(first: [3, 0, 0, 11]), HashFunction.Crc32, out _));
        for (int length = 0; length < 30; length++) key.TryHash(Context(first: Rdp("Cookie: mstshash=alice\r\n")[..length]), HashFunction.Crc32, out _);
    }

    [Theory]
    [InlineData("www.example.org", "example")]
    [InlineData("example.org", "example")]
    [InlineData("localhost", "localhost")]
    [Trait("Row", "S12")]
    public void TheMainDomainIsTheLabelBeforeTheLastDot(string host, string label)
    {
        HeaderKey key = new("Host"u8.ToArray(), useDomainOnly: true);
        Assert.True(key.TryHash(Context(host: host), HashFunction.Crc32, out uint hash));
        Assert.Equal(KeyHash.Crc32(Encoding.ASCII.GetBytes(label)), hash);
    }

    [Fact]
    [Trait("Row", "S10")]
    public void RequestsWithoutTheKeyTakeTurns()
    {
        ServerPool pool = TablePool.Make(() => KeyedHash.ByHeader("X-Absent"), 9001, 1, 1, 1);
        List<string> picks = [];
        for (int i = 0; i < 6; i++)
        {
            Assert.True(pool.TryPick(default, out ServerLease lease, out _));
            lease.Complete(LeaseOutcome.Success);
            picks.Add(lease.Server.Name);
        }

        Assert.Equal(["s1", "s2", "s3", "s1", "s2", "s3"], picks);
    }

    // The check values that the functions are published with.
    [Fact]
    [Trait("Row", "S17")]
    public void FunctionsGiveThePublishedValues()
    {
        Assert.Equal(0xCBF43926u, KeyHash.Crc32("123456789"u8));
        Assert.Equal(177670u, KeyHash.Djb2("a"u8));
        Assert.Equal(97u, KeyHash.Sdbm("a"u8));
        Assert.Equal(42u, KeyHash.Compute(HashFunction.None, "42abc"u8));
        Assert.Equal(unchecked((uint)-7), KeyHash.Compute(HashFunction.None, " -7"u8));
    }

    private static byte[] Rdp(string cookie)
    {
        byte[] text = Encoding.ASCII.GetBytes(cookie);
        int length = 11 + text.Length;
        return [3, 0, (byte)(length >> 8), (byte)length, (byte)(length - 5), 0xE0, 0, 0, 0, 0, 0, .. text];
    }

    private static PickContext Context(string target = "", string body = "", byte[]? first = null, string? host = null) =>
        new() { Request = new Request(Encoding.ASCII.GetBytes(target), Encoding.ASCII.GetBytes(body), first ?? [], host is null ? null : Encoding.ASCII.GetBytes(host)) };

    private sealed class Request(byte[] target, byte[] body, byte[] first, byte[]? host) : IPickRequest
    {
        public ReadOnlySpan<byte> Target => target;

        public ReadOnlySpan<byte> Body => body;

        public ReadOnlySpan<byte> FirstBytes => first;

        public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
        {
            value = host;
            return host is not null && name.SequenceEqual("Host"u8);
        }
    }
}
