using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Tool;

/// <summary>
/// A JSON file as a configuration source that keeps its last good content. The JSON source of Microsoft.Extensions drops everything when a
/// changed file is missing or malformed; an editor that writes a file in two steps would empty a running gateway.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class ConfigurationFile(string path) : ConfigurationProvider, IConfigurationSource
{
    /// <summary>The section that this tool reads; the others are left to the host.</summary>
    public const string Root = "Lb";

    private readonly Lock _lock = new();
    private string? _seen;
    private JsonLines? _lines;

    /// <summary>The file, as it was named.</summary>
    public string Path => path;

    /// <summary>Registers what the section <c>Lb</c> of a configuration says, with every part that this tool has.</summary>
    public static void AddParts(IServiceCollection services, IConfiguration configuration) =>
        services.AddLb(configuration.GetSection(Root)).AddHealth().AddGateways().AddRouters();

    /// <summary>Reads the file, and makes its content known if it is good. Any thread.</summary>
    /// <param name="evenIfSame">False: a file that says the same as at the last reading is left alone.</param>
    /// <returns>What is wrong with the file, or null. After an error the content stays as it was.</returns>
    public string? Read(bool evenIfSame = true)
    {
        lock (_lock)
        {
            string? text = ReadText(out string? error);
            string seen = text ?? error!;
            if (!evenIfSame && seen == _seen) return null;
            _seen = seen;
            if (text is not null) error = TakeOver(text);
            if (error is not null) return error;
        }

        OnReload();
        return null;
    }

    /// <summary>Does nothing: whoever adds the source has read it, and has told of its errors.</summary>
    public override void Load()
    {
    }

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>One line for an error: <c>PATH = 'VALUE': message (line N)</c>.</summary>
    public string Describe(ConfigurationError error)
    {
        string text = error.ToString().ReplaceLineEndings(" ");
        return LineOf(error.Path) is { } line ? $"{text} (line {line})" : text;
    }

    /// <summary>Where a configuration path is in the file, from 1; of its parent when it is not there itself.</summary>
    public int? LineOf(string configurationPath) => _lines?.Find(configurationPath);

    private string? ReadText(out string? error)
    {
        error = null;
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            error = $"{path}: there is no such file";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = $"{path}: can't be read: {fault.Message}";
        }

        return null;
    }

    private string? TakeOver(string text)
    {
        byte[] json = Encoding.UTF8.GetBytes(text);
        Dictionary<string, string?> content = new(StringComparer.OrdinalIgnoreCase);
        try
        {
            IConfigurationRoot parsed = new ConfigurationBuilder().AddJsonStream(new MemoryStream(json)).Build();
            foreach ((string key, string? value) in parsed.AsEnumerable()) content[key] = value;
        }
        catch (JsonException fault)
        {
            return $"{path}:{fault.LineNumber + 1}:{fault.BytePositionInLine + 1}: is not JSON: {WithoutPosition(fault.Message)}";
        }
        catch (FormatException fault)
        {
            return $"{path}: {fault.Message}";
        }

        if (!JsonLines.TryRead(json, out JsonLines? lines, out string? duplicate)) return $"{path}: {duplicate}";
        if (!content.TryGetValue(Root, out string? section)) return $"{path}: there is no section {Root} in it";
        if (!string.IsNullOrEmpty(section))
            return $"{path}:{lines.Find(Root)}: {Root} = '{section}': must be a section with keys, not a value";
        _lines = lines;
        Data = content;
        return null;
    }

    // The position is said already, counted from 1 as editors do; the message counts from 0.
    private static string WithoutPosition(string message)
    {
        int position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (position < 0 ? message : message[..position]).ReplaceLineEndings(" ");
    }
}
