using System.Text;

namespace Lb.Health.Tests.Judging;

[Trait("Row", "H7")]
public sealed class HttpBodyTests
{
    private const string Chunks = "4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\nE \r\nin \r\n\r\nchunks.\r\n0\r\nExpires: never\r\n\r\nrest";

    [Fact]
    public void Any_cut_of_the_bytes_gives_the_same_body()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(Chunks);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            HttpBody body = new(HttpFraming.Chunked, 0);
            Assert.True(body.Feed(bytes.AsSpan(0, cut)));
            Assert.True(body.Feed(bytes.AsSpan(cut)));
            Assert.True(body.IsComplete);
            Assert.Equal("Wikipedia in \r\n\r\nchunks.", Encoding.ASCII.GetString(body.Bytes));
        }
    }

    [Fact]
    public void Single_bytes_give_the_same_body()
    {
        HttpBody body = new(HttpFraming.Chunked, 0);
        foreach (byte b in Encoding.ASCII.GetBytes(Chunks)) Assert.True(body.Feed([b]));
        Assert.Equal("Wikipedia in \r\n\r\nchunks.", Encoding.ASCII.GetString(body.Bytes));
    }

    [Fact]
    public void A_length_of_zero_is_complete_before_the_first_byte() => Assert.True(new HttpBody(HttpFraming.Length, 0).IsComplete);

    [Fact]
    public void Random_bytes_never_throw()
    {
        Random random = new(1);
        const string alphabet = "0123456789abcdefAF;\r\n x";
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(8) == 0 ? (byte)random.Next(256) : (byte)alphabet[random.Next(alphabet.Length)])];
            HttpBody body = new(HttpFraming.Chunked, 0);
            body.Feed(bytes);
            Assert.True(body.Bytes.Length <= bytes.Length);
            bool read = HttpHead.TryParse(bytes, toHead: false, out HttpHead head, out string error);
            Assert.Equal(read, error.Length == 0);
            Assert.False(read && head.Code == 0);
        }
    }
}
