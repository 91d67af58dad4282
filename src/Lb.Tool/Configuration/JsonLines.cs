using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Lb.Tool;

/// <summary>
/// Finds the line of every configuration path of a JSON text, and keys that occur twice: the second would replace or join the first in
/// silence. Pure.
/// </summary>
internal sealed class JsonLines
{
    private readonly Dictionary<string, int> _lines = new(StringComparer.OrdinalIgnoreCase);

    private JsonLines()
    {
    }

    /// <summary>The line of a path, from 1; of its nearest parent when the path itself is not there; null when no part of it is.</summary>
    public int? Find(string path)
    {
        for (ReadOnlySpan<char> rest = path; rest.Length > 0; rest = rest[..Math.Max(0, rest.LastIndexOf(':'))])
        {
            if (_lines.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(rest, out int line)) return line;
        }

        return null;
    }

    /// <summary>Reads a text that is known to be JSON (comments and trailing commas allowed, as in configuration files).</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> json, [NotNullWhen(true)] out JsonLines? lines, [NotNullWhen(false)] out string? duplicate)
    {
        lines = new JsonLines();
        duplicate = null;
        Utf8JsonReader reader = new(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        Stack<Level> levels = new();
        string path = "";
        int line = 1;
        int counted = 0;
        while (reader.Read())
        {
            int start = (int)reader.TokenStartIndex;
            line += json[counted..start].Count((byte)'\n');
            counted = start;

            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                levels.Pop();
                continue;
            }

            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                path = Join(levels.Peek().Path, reader.GetString()!);
                if (lines._lines.TryAdd(path, line)) continue;
                duplicate = $"the key {path} in line {line} is there already in line {lines._lines[path]}";
                lines = null;
                return false;
            }

            if (levels.TryPeek(out Level? list) && list.IsList)
            {
                path = Join(list.Path, list.Items++.ToString(CultureInfo.InvariantCulture));
                lines._lines[path] = line;
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                levels.Push(new Level(path, reader.TokenType == JsonTokenType.StartArray));
        }

        return true;
    }

    private static string Join(string parent, string key) => parent.Length == 0 ? key : $"{parent}:{key}";

    private sealed class Level(string path, bool isList)
    {
        public string Path => path;

        public bool IsList => isList;

        public int Items { get; set; }
    }
}
