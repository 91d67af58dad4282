using System.Security.Cryptography;

namespace Lb.Health;

/// <summary>The files that a checker reads when it is made. A check whose files have changed is another one.</summary>
internal static class CheckFiles
{
    /// <summary>A digest of their contents; empty for a check that has none. One that can't be read counts as empty: making the checker tells of it.</summary>
    public static string Stamp(CheckOptions check)
    {
        if (check.Tls is not { } tls || (tls.CaFile ?? tls.ClientCertificate) is null) return "";
        using IncrementalHash all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? file in (string?[])[tls.CaFile, tls.ClientCertificate])
        {
            byte[] content = Read(file);
            all.AppendData(BitConverter.GetBytes(content.Length));
            all.AppendData(content);
        }

        return Convert.ToHexString(all.GetHashAndReset());
    }

    private static byte[] Read(string? file)
    {
        try
        {
            return file is null ? [] : File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
