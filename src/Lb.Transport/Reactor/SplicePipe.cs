namespace Lb.Transport;

/// <summary>
/// A pipe that bytes pass through on their way from one socket to another by splice(2), never copied to user space. It counts what is in it by the
/// return values. One loop's thread; used by every driver of Linux.
/// </summary>
internal sealed unsafe class SplicePipe
{
    /// <summary>
    /// Bytes asked for, and so the most that waits for a slow reader. Measured: 1 MiB was no cheaper for bulk than 256 KiB, 64 KiB costs more.
    /// </summary>
    public const int Size = 256 * 1024;

    private const int SetSize = 1031; // F_SETPIPE_SZ
    private readonly int _readEnd;
    private readonly int _writeEnd;

    private SplicePipe(int readEnd, int writeEnd)
    {
        _readEnd = readEnd;
        _writeEnd = writeEnd;
    }

    /// <summary>Bytes in the pipe.</summary>
    public int Held { get; private set; }

    /// <summary>Makes a pipe; null where there is no descriptor or no memory for one.</summary>
    public static SplicePipe? Open()
    {
        int* ends = stackalloc int[2];
        if (Libc.Pipe(ends, Libc.SockNonBlocking | Libc.SockCloseOnExec) != 0) return null;
        SplicePipe pipe = new(ends[0], ends[1]);

        // Refused when the user's pipes together have too many pages (fs.pipe-user-pages-soft): a smaller pipe gains nothing over copying.
        if (Libc.FileControl(ends[1], SetSize, Size) >= Size) return pipe;
        pipe.Close();
        return null;
    }

    /// <summary>Takes bytes from a socket into the empty pipe. Never blocks.</summary>
    /// <returns>How many; 0 at the end of the stream; -1 with <see cref="Libc.Errno"/>.</returns>
    public int Fill(int socket, long most)
    {
        while (true)
        {
            nint moved = Libc.Splice(socket, null, _writeEnd, null, (nint)Math.Min(most, Size), Libc.SpliceMove | Libc.SpliceNonBlocking);
            if (moved < 0 && Libc.Errno == Errno.Interrupted) continue;
            if (moved > 0) Held += (int)moved;
            return (int)moved;
        }
    }

    /// <summary>Gives to a socket what it takes of the bytes in the pipe. Never blocks.</summary>
    /// <returns>True when nothing is left; false with <see cref="Libc.Errno"/>.</returns>
    /// <remarks>A broken socket raises SIGPIPE here, which the runtime ignores; splice(2) knows no MSG_NOSIGNAL.</remarks>
    public bool Drain(int socket)
    {
        while (Held > 0)
        {
            // A short transfer proves nothing: one call may also end at a page of the pipe.
            nint moved = Libc.Splice(_readEnd, null, socket, null, Held, Libc.SpliceMove | Libc.SpliceNonBlocking);
            if (moved > 0) Held -= (int)moved;
            else if (Libc.Errno != Errno.Interrupted) return false;
        }

        return true;
    }

    /// <summary>Closes both ends; bytes in the pipe are lost.</summary>
    public void Close()
    {
        _ = Libc.Close(_readEnd);
        _ = Libc.Close(_writeEnd);
    }
}
