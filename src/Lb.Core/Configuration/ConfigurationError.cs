namespace Lb;

/// <summary>One fault of a configuration: where, what, and why it can't be used.</summary>
/// <param name="Path">The configuration path, for example <c>Lb:Pools:web:Servers:0:Weight</c>.</param>
/// <param name="Value">The value found there, or null when the point is that there is none.</param>
/// <param name="Message">What is wrong and what would be right.</param>
public sealed record ConfigurationError(string Path, string? Value, string Message)
{
    // Separators of the form in which generated validators, which know only text, hand an error on.
    private const char Unit = '\u001f';

    /// <summary><c>path = 'value': message</c>, or <c>path: message</c> when there is no value.</summary>
    public override string ToString() => Value is null ? $"{Path}: {Message}" : $"{Path} = '{Value}': {Message}";

    internal string Pack() => $"{Path}{Unit}{Value}{Unit}{Message}";

    internal static ConfigurationError Parse(string packed)
    {
        string[] parts = packed.Split(Unit);
        return parts.Length == 3 ? new(parts[0], parts[1], parts[2]) : new("", null, packed);
    }
}
