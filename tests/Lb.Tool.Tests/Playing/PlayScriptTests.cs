namespace Lb.Tool.Tests;

public sealed class PlayScriptTests
{
    [Theory]
    [InlineData("pick src=192.0.2.1", "192.0.2.1:0", "-")]
    [InlineData("pick src=192.0.2.1:80 dst=198.51.100.7:443", "192.0.2.1:80", "198.51.100.7:443")]
    [InlineData("pick src=2001:db8::1", "[2001:db8::1]:0", "-")]
    [InlineData("pick dst=[2001:db8::1]:80", "-", "[2001:db8::1]:80")]
    [InlineData("pick src=::ffff:192.0.2.1", "192.0.2.1:0", "-")]
    [InlineData("pick uri=/a?b=c#d host=www.example hdr:X-Name=\"a b\" hdr:X-Name=", "-", "-")]
    public void Addresses_of_a_pick_are_read(string line, string source, string destination)
    {
        Step.Pick pick = Assert.IsType<Step.Pick>(PlayScript.Parse(line));
        Assert.Equal(source, pick.Context.Source.ToString());
        Assert.Equal(destination, pick.Context.Destination.ToString());
        Assert.False(pick.Context.Key.HasValue);
    }

    [Fact]
    public void The_key_of_a_pick_is_its_text()
    {
        Step.Pick pick = Assert.IsType<Step.Pick>(PlayScript.Parse("pick key=\"user 7\""));
        Assert.Equal(AffinityKey.From("user 7"), pick.Context.Key);
        Assert.True(Assert.IsType<Step.Pick>(PlayScript.Parse("pick key=")).Context.Key.HasValue);
    }

    [Theory]
    [InlineData("end 3", "ok", null)]
    [InlineData("end 3 ok", "ok", null)]
    [InlineData("end 3 fail", "fail", null)]
    [InlineData("end 3 ignored latency=20ms", "ignored", 20.0)]
    [InlineData("end 3 latency=1.5s fail", "fail", 1500.0)]
    [InlineData("end 3 latency=7", "ok", 7.0)]
    public void Endings_are_read(string line, string outcome, double? milliseconds)
    {
        Step.End end = Assert.IsType<Step.End>(PlayScript.Parse(line));
        Assert.Equal(3, end.Number);
        Assert.Equal(outcome, end.Outcome.IsSuccess ? "ok" : end.Outcome.IsFailure ? "fail" : "ignored");
        Assert.Equal(milliseconds, end.Latency?.TotalMilliseconds);
    }

    [Theory]
    [InlineData("pick 192.0.2.1")]
    [InlineData("pick src=1")]
    [InlineData("pick src=10.1")]
    [InlineData("pick src=10.0.0.256")]
    [InlineData("pick src=")]
    [InlineData("pick src=192.0.2.1 src=192.0.2.2")]
    [InlineData("pick dst=www.example:80")]
    [InlineData("pick uri=")]
    [InlineData("pick host=\"a b\"")]
    [InlineData("pick hdr:=x")]
    [InlineData("pick hdr:a b")]
    [InlineData("pick \"hdr:a b=c\"")]
    [InlineData("pick colour=red")]
    [InlineData("PICK")]
    [InlineData("end")]
    [InlineData("end 0")]
    [InlineData("end -1")]
    [InlineData("end x")]
    [InlineData("end 1 ok fail")]
    [InlineData("end 1 good")]
    [InlineData("end 1 latency=fast")]
    [InlineData("end 1 latency=-1s")]
    [InlineData("end 1 latency=1s latency=2s")]
    [InlineData("down")]
    [InlineData("up a b")]
    [InlineData("drain")]
    [InlineData("ready")]
    [InlineData("maint")]
    [InlineData("remove")]
    [InlineData("weight a")]
    [InlineData("weight a 257")]
    [InlineData("weight a -1")]
    [InlineData("weight a 1.5")]
    [InlineData("add a")]
    [InlineData("add a 127.0.0.1")]
    [InlineData("add a 127.0.0.1:80 300")]
    [InlineData("add a 127.0.0.1:80 weight=300")]
    [InlineData("add \"\" 127.0.0.1:80")]
    [InlineData("advance")]
    [InlineData("advance later")]
    [InlineData("advance -5s")]
    [InlineData("show all")]
    [InlineData("jump")]
    [InlineData("pick key=\"open")]
    public void What_is_not_a_command_is_told(string line) => Assert.NotEmpty(Assert.IsType<Step.Bad>(PlayScript.Parse(line)).Message);

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("# pick")]
    public void Blank_lines_and_comments_do_nothing(string line) => Assert.IsType<Step.Nothing>(PlayScript.Parse(line));
}
