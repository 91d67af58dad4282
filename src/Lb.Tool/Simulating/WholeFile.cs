using System.Diagnostics.CodeAnalysis;

namespace Lb.Tool;

/// <summary>Writes a file whole or not at all: whoever reads it meanwhile sees the old one.</summary>
internal static class WholeFile
{
    /// <summary>Writes beside it and moves.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">Its content.</param>
    /// <param name="fault">What is wrong, with the path.</param>
    public static bool TryWrite(string path, string text, [NotNullWhen(false)] out string? fault)
    {
        string? temporary = null;
        try
        {
            string full = Path.GetFullPath(path);
            temporary = $"{full}.{Path.GetRandomFileName()}";
            File.WriteAllText(temporary, text);
            File.Move(temporary, full, overwrite: true);
            fault = null;
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            if (temporary is not null) TryDelete(temporary);
            string message = temporary is null ? error.Message : error.Message.Replace(temporary, path, StringComparison.Ordinal);
            fault = $"{path}: can't be written: {message}";
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The fault above says enough.
        }
    }
}
