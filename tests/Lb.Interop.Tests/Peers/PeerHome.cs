namespace Lb.Interop.Tests.Peers;

/// <summary>A directory for the files of a peer, gone with the test.</summary>
internal sealed class PeerHome : IDisposable
{
    public PeerHome()
    {
        // Peers that run as a user of their own must get in.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Directory, (UnixFileMode)0b111_101_101);
    }

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("lb-peer-").FullName;

    public string PathOf(string name) => Path.Combine(Directory, name);

    /// <summary>Writes a file.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string text)
    {
        string path = PathOf(name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Writes a shell script that may be run.</summary>
    /// <returns>Its path.</returns>
    public string Script(string name, string text)
    {
        string path = Write(name, $"#!/bin/sh\n{text}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }

    /// <summary>Makes a directory in it that anybody may write.</summary>
    /// <returns>Its path.</returns>
    public string OpenDirectory(string name)
    {
        string path = PathOf(name);
        System.IO.Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
        return path;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
