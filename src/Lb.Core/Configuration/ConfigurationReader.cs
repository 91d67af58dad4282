using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Numerics;
using Microsoft.Extensions.Configuration;

namespace Lb;

/// <summary>
/// Reads one section strictly: every key must be known and every value must parse; what does not is an error with its path and value, and reading
/// goes on, so that all faults are told at once.
/// </summary>
internal sealed class ConfigurationReader(IConfiguration section, string path, List<ConfigurationError> errors)
{
    private readonly Dictionary<string, IConfigurationSection> _children = Children(section);
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public string Path => path;

    public List<ConfigurationError> Errors => errors;

    /// <summary>What is read.</summary>
    public IConfiguration Source => section;

    /// <summary>True when the section says anything of that key.</summary>
    public bool Has(string key) => _children.ContainsKey(key);

    public string? Text(string key, string? current) => Scalar(key) ?? current;

    public string Word(string key, string current) => Scalar(key) ?? current;

    public int Integer(string key, int current) => Integer(key, (int?)current) ?? current;

    public int? Integer(string key, int? current) => Parse(key, current, "a whole number", static (string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value));

    /// <summary>Bytes: a whole number, or one with k, m or g behind it (powers of 1024, as HAProxy counts).</summary>
    public long Bytes(string key, long current) => Parse<long>(key, current, "a number of bytes such as 1048576, 512m or 2g", static (string text, out long value) =>
    {
        int shift = char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        bool isNumber = long.TryParse(shift == 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= long.MaxValue >> shift;
        value <<= shift;
        return isNumber;
    }) ?? current;

    public bool Flag(string key, bool current) =>
        Parse<bool>(key, current, "true or false", static (string text, out bool value) => bool.TryParse(text, out value)) ?? current;

    public TimeSpan Duration(string key, TimeSpan current) => Duration(key, (TimeSpan?)current) ?? current;

    public TimeSpan? Duration(string key, TimeSpan? current) =>
        Parse(key, current, "a duration such as 2s, 100ms, 5m or 00:00:02", static (string text, out TimeSpan value) => Durations.TryParse(text, out value));

    /// <summary>An enumeration in HAProxy's spelling or in that of the code: <c>last-known-good</c> for LastKnownGood.</summary>
    public T Choice<T>(string key, T current)
        where T : struct, Enum
    {
        string words = string.Join(", ", Enum.GetNames<T>().Select(Hyphenate));
        return Parse<T>(key, current, $"one of {words}", static (string text, out T value) =>
        {
            // By name only: Enum.TryParse alone would also take numbers and lists.
            string? name = Array.Find(Enum.GetNames<T>(), n =>
                text.Equals(n, StringComparison.OrdinalIgnoreCase) || text.Equals(Hyphenate(n), StringComparison.OrdinalIgnoreCase));
            return Enum.TryParse(name, out value);
        }) ?? current;
    }

    /// <summary>As <see cref="Choice{T}(string, T)"/>, for a value that may be left open.</summary>
    public T? Choice<T>(string key, T? current)
        where T : struct, Enum => _children.ContainsKey(key) ? Choice(key, current ?? default) : Known(key, current);

    /// <summary>Leading bits of an address: a number of bits, or for IPv4 a mask such as 255.255.255.0.</summary>
    public int MaskBits(string key, int current) => Parse<int>(key, current, "a number of bits or a mask such as 255.255.255.0", static (string text, out int value) =>
    {
        if (int.TryParse(text.TrimStart('/'), NumberStyles.None, CultureInfo.InvariantCulture, out value)) return true;
        if (text.AsSpan().Count('.') != 3 || !IPAddress.TryParse(text, out IPAddress? mask)) return false;
        uint bits = BinaryPrimitives.ReadUInt32BigEndian(mask.GetAddressBytes());
        value = BitOperations.LeadingZeroCount(~bits);
        return bits << value == 0 || value == 32;
    }) ?? current;

    /// <summary>A map from names to whole numbers.</summary>
    public void Integers(string key, IDictionary<string, int> target)
    {
        if (!Take(key, out IConfigurationSection? child)) return;
        if (IsScalar(child))
        {
            errors.Add(new($"{path}:{key}", child.Value, "must be a section of named numbers"));
            return;
        }

        foreach (IConfigurationSection item in child.GetChildren())
        {
            if (int.TryParse(item.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value)) target[item.Key] = value;
            else errors.Add(new($"{path}:{key}:{item.Key}", item.Value, "must be a whole number"));
        }
    }

    /// <summary>A map from names to texts.</summary>
    public void TextMap(string key, IDictionary<string, string> target)
    {
        if (!Take(key, out IConfigurationSection? child)) return;
        if (IsScalar(child))
        {
            errors.Add(new($"{path}:{key}", child.Value, "must be a section of named texts"));
            return;
        }

        foreach (IConfigurationSection item in child.GetChildren())
        {
            if (item.GetChildren().Any()) errors.Add(new($"{path}:{key}:{item.Key}", null, "must be a text"));
            else target[item.Key] = item.Value ?? "";
        }
    }

    /// <summary>Redispatch: true, false or HAProxy's number.</summary>
    public int? Redispatch(string key, int? current) => Parse(key, current, "true, false or a whole number", static (string text, out int value) =>
    {
        if (!bool.TryParse(text, out bool on)) return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
        value = on ? 1 : 0;
        return true;
    });

    /// <summary>A list of texts; a single text counts as a list of one.</summary>
    public void Texts(string key, IList<string> target)
    {
        if (!Take(key, out IConfigurationSection? child)) return;
        List<IConfigurationSection> items = [.. child.GetChildren()];
        if (items.Count == 0 && !string.IsNullOrEmpty(child.Value)) target.Add(child.Value);
        foreach (IConfigurationSection item in items)
        {
            if (item.Value is null || item.GetChildren().Any()) errors.Add(new($"{path}:{key}:{item.Key}", null, "must be a text"));
            else target.Add(item.Value);
        }
    }

    /// <summary>A sub-section.</summary>
    public void Section(string key, Action<ConfigurationReader> read)
    {
        if (!Take(key, out IConfigurationSection? child)) return;
        if (IsScalar(child))
        {
            errors.Add(new($"{path}:{key}", child.Value, "must be a section with keys, not a value"));
            return;
        }

        ReadWhole(child, $"{path}:{key}", read);
    }

    /// <summary>A sub-section, for which <c>true</c> may stand with all its defaults.</summary>
    /// <returns>Whether it is wanted; null when nothing is said.</returns>
    public bool? FlagOrSection(string key, Action<ConfigurationReader> read)
    {
        if (!Take(key, out IConfigurationSection? child)) return null;
        if (IsScalar(child)) return Flag(key, false);
        ReadWhole(child, $"{path}:{key}", read);
        return true;
    }

    /// <summary>The items of a list (<c>Servers</c>) or of a map from names (<c>Pools</c>).</summary>
    public void Items(string key, bool isList, Action<string, ConfigurationReader> read)
    {
        if (!Take(key, out IConfigurationSection? child)) return;
        if (IsScalar(child))
        {
            errors.Add(new($"{path}:{key}", child.Value, isList ? "must be a list" : "must be a section of named entries"));
            return;
        }

        foreach (IConfigurationSection item in child.GetChildren().OrderBy(static c => c.Key, ListOrder.Instance))
        {
            string at = $"{path}:{key}:{item.Key}";
            if (isList && !int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                errors.Add(new(at, item.Value, $"{key} is a list; names have no place in it"));
            else if (IsScalar(item))
                errors.Add(new(at, item.Value, "must be a section with keys, not a value"));
            else
                ReadWhole(item, at, reader => read(item.Key, reader));
        }
    }

    /// <summary>A list whose items are sections, or texts where one value says it all.</summary>
    public void ItemsOrTexts(string key, Action<string> text, Action<ConfigurationReader> read)
    {
        if (!Take(key, out IConfigurationSection? child)) return;
        if (IsScalar(child))
        {
            text(child.Value!);
            return;
        }

        foreach (IConfigurationSection item in child.GetChildren().OrderBy(static c => c.Key, ListOrder.Instance))
        {
            if (IsScalar(item)) text(item.Value!);
            else ReadWhole(item, $"{path}:{key}:{item.Key}", read);
        }
    }

    /// <summary>Keys of the schema that this version does not act on: refused by name, never ignored in silence.</summary>
    public void NotInThisVersion(params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
        {
            if (Take(key, out IConfigurationSection? child)) errors.Add(new($"{path}:{key}", child.Value, "is not in this version"));
        }
    }

    /// <summary>Tells of the keys that nobody has asked for.</summary>
    public void Finish()
    {
        foreach ((string key, IConfigurationSection child) in _children)
        {
            if (_known.Contains(key)) continue;
            string? near = _known.Select(k => (Key: k, Distance: EditDistance(k, key))).Where(c => c.Distance <= 1 + (key.Length / 4)).OrderBy(c => c.Distance).FirstOrDefault().Key;
            string hint = near is null ? $"there are: {string.Join(", ", _known.Order(StringComparer.Ordinal))}" : $"did you mean {near}?";
            errors.Add(new($"{path}:{key}", child.Value, $"is no known key; {hint}"));
        }
    }

    public static void ReadWhole(IConfiguration section, string path, List<ConfigurationError> errors, Action<ConfigurationReader> read)
    {
        ConfigurationReader reader = new(section, path, errors);
        read(reader);
        reader.Finish();
    }

    private void ReadWhole(IConfiguration child, string at, Action<ConfigurationReader> read) => ReadWhole(child, at, errors, read);

    private static Dictionary<string, IConfigurationSection> Children(IConfiguration section) =>
        section.GetChildren().ToDictionary(static c => c.Key, StringComparer.OrdinalIgnoreCase);

    private static bool IsScalar(IConfigurationSection section) => !string.IsNullOrEmpty(section.Value) && !section.GetChildren().Any();

    private T Known<T>(string key, T value)
    {
        _known.Add(key);
        return value;
    }

    private bool Take(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IConfigurationSection? child)
    {
        _known.Add(key);
        return _children.TryGetValue(key, out child);
    }

    private string? Scalar(string key)
    {
        if (!Take(key, out IConfigurationSection? child)) return null;
        if (!child.GetChildren().Any()) return child.Value ?? "";
        errors.Add(new($"{path}:{key}", null, "must be a value, not a section or list"));
        return null;
    }

    private delegate bool Parser<T>(string text, out T value);

    // What can't be read is an error and leaves the value as it was: one fault, one error.
    private T? Parse<T>(string key, T? current, string expected, Parser<T> parse)
        where T : struct
    {
        string? text = Scalar(key);
        if (text is null) return current;
        if (text.Length > 0 && parse(text.Trim(), out T value)) return value;
        errors.Add(new($"{path}:{key}", text, $"must be {expected}"));
        return current;
    }

    private static string Hyphenate(string name) =>
        string.Concat(name.Select(static (c, i) => i > 0 && char.IsAsciiLetterUpper(c) ? $"-{char.ToLowerInvariant(c)}" : char.ToLowerInvariant(c).ToString()));

    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int change = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + change));
            }
        }

        return row[b.Length];
    }

    /// <summary>List positions as numbers, so that 10 comes after 9.</summary>
    private sealed class ListOrder : IComparer<string>
    {
        public static ListOrder Instance { get; } = new();

        public int Compare(string? x, string? y) =>
            int.TryParse(x, NumberStyles.None, CultureInfo.InvariantCulture, out int a) && int.TryParse(y, NumberStyles.None, CultureInfo.InvariantCulture, out int b)
                ? a.CompareTo(b)
                : 0;
    }
}
