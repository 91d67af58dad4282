using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests.Operations;

/// <summary>Messages with descriptors between two processes that do not go well.</summary>
[Trait("Row", "T16")]
public sealed class SocketPassingTests
{
    private const int Timeout = 60_000;

    [Fact(Timeout = Timeout)]
    public async Task A_peer_that_reads_late_misses_nothing()
    {
        const int Messages = 2000;
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are handed over on Linux.");
        using Socket listening = Serving(out UnixDomainSocketEndPoint at);
        using Socket reader = Seqpacket();
        reader.Connect(at);
        using Socket writer = listening.Accept();
        writer.Blocking = false;
        Task writing = Task.Run(() =>
        {
            for (int i = 0; i < Messages; i++) Assert.True(SocketPassing.Send((int)writer.Handle, Encoding.UTF8.GetBytes($"{i}"), -1), $"Message {i} was not sent.");
        });
        await Wait.UntilAsync(() => !writer.Poll(0, SelectMode.SelectWrite), "the queue is full");
        await Task.Run(() =>
        {
            byte[] message = new byte[16];
            for (int i = 0; i < Messages; i++)
            {
                int length = SocketPassing.Receive((int)reader.Handle, message, out int descriptor);
                Assert.Equal(($"{i}", -1), (Encoding.UTF8.GetString(message, 0, length), descriptor));
            }
        });
        await writing;
    }

    [Theory(Timeout = Timeout)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Of_a_process_that_ends_in_the_middle_nothing_is_taken_and_no_descriptor_stays(int each)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are handed over on Linux.");
        using Socket listening = Serving(out UnixDomainSocketEndPoint at), given = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        given.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        given.Listen(1);
        Task old = Task.Run(() =>
        {
            using Socket peer = listening.Accept();
            byte[] wish = new byte[64];
            Assert.Equal(HandOverClient.Take, Encoding.UTF8.GetString(wish, 0, peer.Receive(wish)));
            for (int i = 0; i < 3; i++) SendDescriptors((int)peer.Handle, (int)given.Handle, each);
        });
        InheritedSockets sockets = new();

        Assert.Null(await Task.Run(() => HandOverClient.TryTake(at, sockets)));

        await old;
        Assert.Equal("none", sockets.Names());
        Assert.Equal(1, Copies((int)given.Handle));
    }

    private static Socket Seqpacket() => new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    private static Socket Serving(out UnixDomainSocketEndPoint at)
    {
        at = new UnixDomainSocketEndPoint($"\0lb-passing-{Guid.NewGuid():N}");
        Socket socket = Seqpacket();
        socket.Bind(at);
        socket.Listen(1);
        return socket;
    }

    private static unsafe void SendDescriptors(int socket, int descriptor, int count)
    {
        byte text = (byte)'x';
        nint* vector = stackalloc nint[2] { (nint)(&text), 1 };
        int* control = stackalloc int[6] { 16 + sizeof(int) * count, 0, 1, 1, descriptor, descriptor }; // struct cmsghdr: SOL_SOCKET, SCM_RIGHTS
        nint* header = stackalloc nint[7] { 0, 0, (nint)vector, 1, (nint)control, 24, 0 };
        Assert.Equal(1, Libc.SendMessage(socket, header, 0));
    }

    /// <summary>Descriptors of this process for the same socket.</summary>
    private static int Copies(int descriptor)
    {
        string? target = File.ResolveLinkTarget($"/proc/self/fd/{descriptor}", false)?.FullName;
        Assert.NotNull(target);
        return Directory.GetFileSystemEntries("/proc/self/fd").Count(path => TargetOf(path) == target);

        static string? TargetOf(string path)
        {
            try
            {
                return File.ResolveLinkTarget(path, false)?.FullName;
            }
            catch (IOException)
            {
                return null; // closed by another test meanwhile
            }
        }
    }
}
