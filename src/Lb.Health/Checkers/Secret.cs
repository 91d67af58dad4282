using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Lb.Health;

/// <summary>A password that is kept outside the configuration and never shown: in a file or an environment variable, read whenever it is needed.</summary>
internal static class Secret
{
    private const int Longest = 4096;

    /// <summary>Reads it.</summary>
    /// <param name="options">Where it is.</param>
    /// <param name="value">The password; null when none is configured.</param>
    /// <param name="error">What is wrong, without the value.</param>
    public static bool TryRead(CheckOptions options, out string? value, [NotNullWhen(false)] out string? error)
    {
        value = null;
        error = null;
        if (options.PasswordVariable is { } variable)
        {
            value = Environment.GetEnvironmentVariable(variable);
            if (string.IsNullOrEmpty(value)) error = $"the environment variable {variable} is not set";
        }
        else if (options.PasswordFile is { } path)
        {
            error = ReadFile(path, out value);
        }

        return error is null;
    }

    private static string? ReadFile(string path, out string? value)
    {
        value = null;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] buffer = new byte[Longest + 1];
            int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > Longest) return "the password file is longer than 4 KiB";
            value = Encoding.UTF8.GetString(buffer, 0, length).TrimEnd('\r', '\n');
            return value.Length == 0 ? "the password file is empty" : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return $"the password file can't be read: {error.GetType().Name}";
        }
    }
}
