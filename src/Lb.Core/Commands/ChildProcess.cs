using System.Diagnostics.CodeAnalysis;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lb;

/// <summary>
/// A program in a session and process group of its own, so that it can be ended with all that it has started. Never through a shell. Any thread; Linux.
/// </summary>
/// <remarks>Not the runtime's Process: that knows no process groups, and does not tell an exit code from a signal.</remarks>
internal sealed class ChildProcess : IDisposable
{
    private readonly Lock _lock = new();
    private readonly int _id;
    private readonly AnonymousPipeClientStream _output;
    private readonly TaskCompletionSource<(int Code, int Signal)> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _reaped;

    private ChildProcess(int id, int output)
    {
        _id = id;
        _output = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(output, ownsHandle: true));
    }

    /// <summary>Exit code, or -1 and the signal; (-1, 0) when somebody else took its end. By then the rest of its group is gone too.</summary>
    public Task<(int Code, int Signal)> Ended => _ended.Task;

    public int Id => _id;

    /// <summary>Starts a program: no input, output and errors into one pipe, working directory <c>/</c>, signals at their defaults.</summary>
    /// <param name="arguments">The program as an absolute path, and its arguments.</param>
    /// <param name="environment">The whole environment.</param>
    /// <param name="child">The program.</param>
    /// <param name="error">The system's error number.</param>
    public static bool TryStart(string[] arguments, string[] environment, [NotNullWhen(true)] out ChildProcess? child, out int error)
    {
        child = null;
        int read = -1, write = -1;
        try
        {
            error = OpenPipe(out read, out write);
            if (error != 0) return false;
            error = Spawn(arguments, environment, write, out int id);
            if (error != 0) return false;
            child = new ChildProcess(id, read);
            read = -1;
            ChildReaper.Watch(child);
            return true;
        }
        finally
        {
            if (read >= 0) _ = Libc.Close(read);
            if (write >= 0) _ = Libc.Close(write);
        }
    }

    /// <summary>Ends it and all of its group, at once. What has left the group for a session of its own is not reached.</summary>
    public void Kill()
    {
        lock (_lock)
        {
            // Until it is reaped its number can't belong to anybody else.
            if (!_reaped) _ = Libc.Kill(-_id, Libc.KillSignal);
        }
    }

    /// <summary>Reads what it writes, to the end; keeps the first bytes.</summary>
    /// <param name="most">Bytes kept.</param>
    /// <param name="ct">Ends the reading; what was read is returned.</param>
    public async Task<string> ReadAsync(int most, CancellationToken ct)
    {
        byte[] kept = new byte[most], rest = new byte[1024];
        int length = 0;
        try
        {
            while (true)
            {
                int read = await _output.ReadAsync(length < most ? kept.AsMemory(length) : rest, ct).ConfigureAwait(false);
                if (read == 0) break;
                if (length < most) length += read;
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Somebody who has left the group holds the pipe.
        }

        return Encoding.UTF8.GetString(kept, 0, length).Trim();
    }

    /// <summary>Takes its end, if it has ended.</summary>
    /// <returns>True when there is nothing left to wait for.</returns>
    public unsafe bool TryReap()
    {
        (int Code, int Signal) end;
        lock (_lock)
        {
            if (_reaped) return true;
            byte* info = stackalloc byte[128];
            new Span<byte>(info, 128).Clear();
            if (Libc.WaitId(Libc.WaitPid, _id, info, Libc.WaitExited | Libc.WaitNoHang | Libc.WaitAndLeave) != 0)
            {
                if (Marshal.GetLastPInvokeError() != Libc.NoChild) return false;
                end = (-1, 0);
            }
            else
            {
                if (*(int*)(info + 16) == 0) return false;

                // It is a zombie still, so its group's number is its own: what it has left behind ends with it.
                _ = Libc.Kill(-_id, Libc.KillSignal);
                if (Libc.Wait(_id, out int status, 0) != _id) end = (-1, 0);
                else end = (status & 0x7F) == 0 ? ((status >> 8) & 0xFF, 0) : (-1, status & 0x7F);
            }

            _reaped = true;
        }

        _ended.TrySetResult(end);
        return true;
    }

    public void Dispose()
    {
        Kill();
        _output.Dispose();
    }

    private static unsafe int OpenPipe(out int read, out int write)
    {
        int* ends = stackalloc int[2];
        bool opened = Libc.Pipe(ends, Libc.CloseOnExec) == 0;
        (read, write) = opened ? (ends[0], ends[1]) : (-1, -1);
        return opened ? 0 : Marshal.GetLastPInvokeError();
    }

    private static unsafe int Spawn(string[] arguments, string[] environment, int output, out int id)
    {
        byte* actions = stackalloc byte[Libc.OpaqueSize];
        byte* attributes = stackalloc byte[Libc.OpaqueSize];
        byte* signals = stackalloc byte[Libc.OpaqueSize];
        byte** words = Strings(arguments);
        byte** variables = Strings(environment);
        _ = Libc.InitActions(actions);
        _ = Libc.InitAttributes(attributes);
        try
        {
            _ = Libc.FillSignals(signals);
            _ = Libc.SetSignalsDefault(attributes, signals);
            _ = Libc.EmptySignals(signals);
            _ = Libc.SetSignalMask(attributes, signals);
            _ = Libc.SetFlags(attributes, Libc.SpawnSession | Libc.SpawnSignalsDefault | Libc.SpawnSignalMask);
            id = 0;
            int error = Libc.AddDirectory(actions, "/");
            if (error == 0) error = Libc.AddOpen(actions, 0, "/dev/null", 0, 0);
            if (error == 0) error = Libc.AddDuplicate(actions, output, 1);
            if (error == 0) error = Libc.AddDuplicate(actions, output, 2);
            return error != 0 ? error : Libc.Spawn(out id, arguments[0], actions, attributes, words, variables);
        }
        finally
        {
            _ = Libc.DestroyAttributes(attributes);
            _ = Libc.DestroyActions(actions);
            Free(words);
            Free(variables);
        }
    }

    private static unsafe byte** Strings(string[] texts)
    {
        byte** list = (byte**)NativeMemory.AllocZeroed((nuint)texts.Length + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < texts.Length; i++) list[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        return list;
    }

    private static unsafe void Free(byte** list)
    {
        for (byte** item = list; *item is not null; item++) Marshal.FreeCoTaskMem((nint)(*item));
        NativeMemory.Free(list);
    }
}
