using System.Text;

namespace Lb.Health.Tests.Judging;

[Trait("Row", "H9")]
public sealed class ScriptStepTests
{
    // HAProxy's rule: what is found decides at once; what is not, when min-recv bytes are there or no more will come.
    [Theory]
    [InlineData(false, null, "ab", false, "Open")]
    [InlineData(false, null, "abc", false, "Met")]
    [InlineData(false, null, "ab", true, "Failed")]
    [InlineData(false, 4, "abc", false, "Open")]
    [InlineData(false, 4, "abcd", false, "Met")]
    [InlineData(false, 4, "xyzw", false, "Failed")]
    [InlineData(true, null, "ab", false, "Open")]
    [InlineData(true, null, "abc", false, "Failed")]
    [InlineData(true, null, "ab", true, "Met")]
    [InlineData(true, 2, "ab", false, "Met")]
    [InlineData(true, 2, "a", true, "Met")]
    public void Judges_what_has_come(bool not, int? min, string received, bool ended, string expected)
    {
        List<ConfigurationError> errors = [];
        foreach (CheckStepOptions options in (CheckStepOptions[])[new() { Expect = "bc" }, new() { ExpectRegex = "b+c" }, new() { ExpectBinary = "6263" }])
        {
            options.Not = not;
            options.MinReceived = min;
            ScriptStep step = Assert.Single(CheckScript.Read("p", [options], errors));
            Assert.Equal(expected, step.Judge(Encoding.ASCII.GetBytes(received), ended).ToString());
        }

        Assert.Empty(errors);
    }

    public static TheoryData<CheckStepOptions, string> Faults => new()
    {
        { new(), "p:Script:0: must have one of Connect, Send, SendBinary, Expect, ExpectRegex, ExpectBinary, or a Comment" },
        { new() { Connect = 1, Send = "x" }, "p:Script:0: does Connect and Send; a step does one thing" },
        { new() { Send = "" }, "p:Script:0:Send = '': must not be empty" },
        { new() { Send = "\\q" }, "p:Script:0:Send = '\\q': has a '\\' that begins none of the escapes \\r \\n \\t \\0 \\\\ \\xHH" },
        { new() { SendBinary = "5" }, "p:Script:0:SendBinary = '5': must be pairs of hex digits, as 50494e47" },
        { new() { ExpectBinary = "zz" }, "p:Script:0:ExpectBinary = 'zz': must be pairs of hex digits, as 50494e47" },
        { new() { ExpectRegex = "(?=x)" }, "p:Script:0:ExpectRegex = '(?=x)': must be a regular expression without look-arounds, back-references and atomic groups, which would need backtracking" },
        { new() { Send = "x", Tls = true }, "p:Script:0:Tls: means nothing here; it belongs to Connect" },
        { new() { Connect = 1, Not = true }, "p:Script:0:Not: means nothing here; it belongs to an expectation" },
        { new() { Send = "x", MinReceived = 1 }, "p:Script:0:MinReceived: means nothing here; it belongs to an expectation" },
        { new() { Comment = "x", OnError = "y" }, "p:Script:0:OnError: means nothing here; it belongs to a step that can fail" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Faults_are_named(CheckStepOptions step, string error)
    {
        List<ConfigurationError> errors = [];
        CheckScript.Read("p", [step], errors);
        Assert.Equal([error], errors.Select(static e => e.ToString()));
        Assert.Throws<ArgumentException>(() => new ScriptChecker(new CheckOptions { Script = { step } }));
    }

    [Fact]
    public void A_script_that_is_not_there_is_a_fault()
    {
        List<ConfigurationError> errors = [];
        CheckScript.Read("p", [], errors);
        Assert.Equal("p:Script: is required for tcp-script: at least one step", Assert.Single(errors).ToString());
    }
}
