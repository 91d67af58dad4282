using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>Sends and receives a message with a descriptor beside it (SCM_RIGHTS) over a Unix socket. Linux on x64 and arm64.</summary>
internal static unsafe class SocketPassing
{
    private const int Rights = 1;
    private const int CloseOnExec = 0x40000000;
    private const int PeerCredentials = 17;
    private const short CanWrite = 4; // POLLOUT

    // The other side reads as fast as it can; one that does not has stopped.
    private const int Patience = 10_000;

    /// <summary>Sends a message; waits some seconds for a peer that has not read the ones before it.</summary>
    /// <param name="socket">A Unix socket that keeps messages apart.</param>
    /// <param name="text">The message.</param>
    /// <param name="descriptor">What goes with it; -1 = nothing.</param>
    /// <returns>False: the peer is gone, or does not read, or the descriptor can't be sent.</returns>
    public static bool Send(int socket, ReadOnlySpan<byte> text, int descriptor)
    {
        Control control = new() { Length = (nint)ControlLength, Level = Libc.LevelSocket, Type = Rights, Descriptor = descriptor };
        fixed (byte* bytes = text)
        {
            Vector vector = new() { Base = bytes, Length = text.Length };
            Header header = new() { Vectors = &vector, VectorCount = 1 };
            if (descriptor >= 0)
            {
                header.Control = &control;
                header.ControlLength = sizeof(Control);
            }

            while (true)
            {
                nint sent = Libc.SendMessage(socket, &header, Libc.MessageNoSignal);
                if (sent >= 0) return sent == text.Length;
                if (Libc.Errno == Errno.Interrupted) continue;
                PollItem item = new() { Descriptor = socket, Wanted = CanWrite };
                if (Libc.Errno != Errno.Again || Libc.Poll(&item, 1, Patience) == 0) return false;
            }
        }
    }

    /// <summary>Receives a message; waits for it as long as the socket's receive time-out says.</summary>
    /// <param name="socket">A Unix socket that keeps messages apart.</param>
    /// <param name="text">Takes the message.</param>
    /// <param name="descriptor">What came with it, closed on exec; -1 = nothing.</param>
    /// <returns>Its length; 0 at the end, -1 on a fault.</returns>
    public static int Receive(int socket, Span<byte> text, out int descriptor)
    {
        Control control = default;
        descriptor = -1;
        fixed (byte* bytes = text)
        {
            Vector vector = new() { Base = bytes, Length = text.Length };
            Header header = new() { Vectors = &vector, VectorCount = 1, Control = &control, ControlLength = sizeof(Control) };
            int length;
            do length = (int)Libc.ReceiveMessage(socket, &header, CloseOnExec);
            while (length < 0 && Libc.Errno == Errno.Interrupted);
            if (length < 0 || header.ControlLength < (nint)ControlLength || control.Level != Libc.LevelSocket || control.Type != Rights) return length;
            descriptor = control.Descriptor;

            // The padding has room for a second one, which nobody here sends. More than that the kernel takes back.
            if (control.Length >= sizeof(Control)) _ = Libc.Close(control.Second);
            return length;
        }
    }

    /// <summary>True when the process at the other end is root's or of this process's user.</summary>
    public static bool IsTrusted(int socket)
    {
        uint* credentials = stackalloc uint[3]; // pid, uid, gid
        uint length = 3 * sizeof(uint);
        return Libc.GetOption(socket, Libc.LevelSocket, PeerCredentials, credentials, &length) == 0 && (credentials[1] == 0 || credentials[1] == Libc.EffectiveUser());
    }

    private static readonly int ControlLength = (int)Marshal.OffsetOf<Control>(nameof(Control.Descriptor)) + sizeof(int);

    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public byte* Base;
        public nint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public void* Name;
        public nint NameLength;
        public Vector* Vectors;
        public nint VectorCount;
        public Control* Control;
        public nint ControlLength;
        public nint Flags;
    }

    // struct pollfd.
    [StructLayout(LayoutKind.Sequential)]
    private struct PollItem
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }

    // struct cmsghdr with one descriptor, padded to 24 bytes.
    [StructLayout(LayoutKind.Sequential)]
    private struct Control
    {
        public nint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Second;
    }
}
