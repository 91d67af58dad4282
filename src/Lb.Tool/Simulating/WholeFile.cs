using System.Diagnostics.CodeAnalysis;

namespace Lb.Tool;

/// <summary>Writes a file whole or not at all: whoever reads it meanwhile sees the old one.</summary>
internal static class WholeFile
{
    /// <summary>Tries whether a file could be written now; it stays as it is.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fault">What is wrong, with the path.</param>
    public static bool CanWrite(string path, [NotNullWhen(false)] out string? fault) => TryDo(path, "", static (temporary, full) =>
    {
        File.Delete(temporary);
        if (Directory.Exists(full)) throw new IOException("it is a folder");
    }, out fault);

    /// <summary>Writes beside it and moves.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">Its content.</param>
    /// <param name="fault">What is wrong, with the path.</param>
    public static bool TryWrite(string path, string text, [NotNullWhen(false)] out string? fault) =>
        TryDo(path, text, static (temporary, full) => File.Move(temporary, full, overwrite: true), out fault);

    private static bool TryDo(string path, string text, Action<string, string> then, [NotNullWhen(false)] out string? fault)
    {
        string? temporary = null;
        try
        {
            string full = Path.GetFullPath(path);
            temporary = $"{full}.{Path.GetRandomFileName()}";
            File.WriteAllText(temporary, text);
            then(temporary, full);
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
