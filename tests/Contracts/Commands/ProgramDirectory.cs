namespace Lb.Contracts.Commands;

/// <summary>A directory with small programs of a test's, and pipes to hear from them.</summary>
public sealed class ProgramDirectory : IDisposable
{
    public ProgramDirectory() => Assert.SkipUnless(OperatingSystem.IsLinux(), "programs are run on Linux only");

    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("lb-command-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>Sets the mode of a file.</summary>
    public static void Mode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }

    /// <summary>Path of something in it.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a program for the shell; only its owner may write or run it.</summary>
    /// <returns>Its path.</returns>
    public string Script(string text)
    {
        string path = this[$"script-{Guid.NewGuid():N}"];
        File.WriteAllText(path + ".text", $"#!/bin/sh\n{text}\n");

        // A copy by another process: a program of this file that this process has open for writing, or a child it is just starting, would be "busy".
        using System.Diagnostics.Process copy = System.Diagnostics.Process.Start("cp", [path + ".text", path]);
        copy.WaitForExit();
        Mode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Makes a named pipe.</summary>
    /// <returns>Its path.</returns>
    public async Task<string> PipeAsync(CancellationToken ct)
    {
        string path = this[$"pipe-{Guid.NewGuid():N}"];
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start("mkfifo", path);
        await process.WaitForExitAsync(ct);
        Assert.Equal(0, process.ExitCode);
        return path;
    }
}
