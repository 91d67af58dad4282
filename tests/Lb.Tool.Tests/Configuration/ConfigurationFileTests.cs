using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Lb.Tool.Tests;

[Trait("Row", "G5")]
public sealed class ConfigurationFileTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ConfigurationFile _file;
    private readonly IConfigurationRoot _configuration;
    private int _changes;

    public ConfigurationFileTests()
    {
        _file = new ConfigurationFile(_folder.Write("lb.json", Text("one")));
        Assert.Null(_file.Read());
        _configuration = new ConfigurationBuilder().Add(_file).Build();
        ChangeToken.OnChange(_configuration.GetReloadToken, () => _changes++);
    }

    public void Dispose() => _folder.Dispose();

    private string? Value => _configuration["Lb:Word"];

    private static string Text(string word) => $$"""{ "Lb": { "Word": "{{word}}", "List": [ 1, { "Deep": true } ], "None": null } }""";

    [Fact]
    public void Good_content_is_taken_over()
    {
        Assert.Equal("one", Value);
        Assert.Equal("True", _configuration["Lb:List:1:Deep"]);
        _folder.Write("lb.json", Text("two"));
        Assert.Null(_file.Read());
        Assert.Equal("two", Value);
        Assert.Equal(1, _changes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ \"Lb\": ")]
    [InlineData("{ }")]
    [InlineData("{ \"Lb\": 1 }")]
    [InlineData("{ \"Lb\": { \"Word\": 1, \"Word\": 2 } }")]
    public void Bad_content_leaves_the_last_good_one(string text)
    {
        _folder.Write("lb.json", text);
        Assert.NotNull(_file.Read());
        Assert.Equal("one", Value);
        Assert.Equal(0, _changes);
    }

    [Fact]
    public void A_missing_file_leaves_the_last_good_content()
    {
        File.Delete(_file.Path);
        Assert.NotNull(_file.Read());
        Assert.Equal("one", Value);
        Assert.Equal(0, _changes);
        _folder.Write("lb.json", Text("two"));
        Assert.Null(_file.Read(evenIfSame: false));
        Assert.Equal("two", Value);
    }

    [Fact]
    public void The_same_content_is_left_alone_unless_asked_for()
    {
        Assert.Null(_file.Read(evenIfSame: false));
        Assert.Equal(0, _changes);
        Assert.Null(_file.Read(evenIfSame: true));
        Assert.Equal(1, _changes);

        // An error is told once, not at every look.
        _folder.Write("lb.json", "{");
        Assert.NotNull(_file.Read(evenIfSame: false));
        Assert.Null(_file.Read(evenIfSame: false));
        Assert.NotNull(_file.Read(evenIfSame: true));
    }

    [Theory]
    [InlineData("Lb:Word", 1)]
    [InlineData("Lb:List:1:Deep", 3)]
    [InlineData("LB:LIST:0", 2)]
    [InlineData("Lb:List:7:Nothing", 2)]
    [InlineData("Lb:Wordy", 1)]
    [InlineData("Other", null)]
    public void Lines_are_found_for_paths_and_else_for_their_parents(string path, int? line)
    {
        _folder.Write("lb.json", "{ \"Lb\": { \"Word\": \"x\",\n \"List\": [ 1, /* a\n comment */ { \"Deep\": true } ],\r\n } }");
        Assert.Null(_file.Read());
        Assert.Equal(line, _file.LineOf(path));
    }
}
