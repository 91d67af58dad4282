namespace Lb.Peers;

/// <summary>A folder of our own for configurations, logs and what the backend serves; gone on disposal.</summary>
internal sealed class Workspace : IDisposable
{
    public const int BackendPort = 9000;

    /// <summary>Answers datagrams with themselves.</summary>
    public const int EchoPort = 9100;

    /// <summary>Proxies listen from here on, one port each.</summary>
    public const int FirstProxyPort = 8001;

    public const string BulkPath = "/bulk";
    public const long BulkBytes = 100L * 1024 * 1024;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lb-peers-");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public string Write(string name, string text)
    {
        string path = PathOf(name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>The file for bulk. Real bytes: the holes of a sparse file would all be one page that never leaves the cache.</summary>
    public void WriteBulkFile()
    {
        byte[] block = new byte[1024 * 1024];
        Random random = new(1);
        Directory.CreateDirectory(PathOf("www"));
        using FileStream file = File.Create(PathOf("www" + BulkPath));
        for (long written = 0; written < BulkBytes; written += block.Length)
        {
            random.NextBytes(block);
            file.Write(block);
        }
    }

    public void Dispose()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"{_folder.FullName} is left: {e.Message}");
        }
    }
}
