namespace Lb.Tool.Tests;

public sealed class WordsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  \t ", "")]
    [InlineData("# all of it", "")]
    [InlineData("  # all of it", "")]
    [InlineData("a  b\tc ", "a|b|c")]
    [InlineData("a # rest \"", "a")]
    [InlineData("a#b c", "a#b|c")]
    [InlineData("k=\"a b\" c", "k=a b|c")]
    [InlineData("\"k=a # b\"", "k=a # b")]
    [InlineData("\"\" x", "|x")]
    [InlineData("a\"b\"c", "abc")]
    [InlineData("\"a \\\" \\\\ \\n\"", "a \" \\ \\n")]
    public void Splits_at_white_space_outside_quotes(string line, string expected)
    {
        Assert.True(Words.TrySplit(line, out IReadOnlyList<string> words, out _));
        Assert.Equal(expected, string.Join('|', words));
    }

    [Theory]
    [InlineData("\"")]
    [InlineData("a \"b c")]
    [InlineData("\"a\\\"")]
    public void An_open_quote_is_an_error(string line)
    {
        Assert.False(Words.TrySplit(line, out _, out string? error));
        Assert.NotEmpty(error);
    }
}
