using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Peers;

/// <summary>
/// <c>client bulk PORT CONNECTIONS SECONDS</c>: fetches the big file over and over and throws it away. Prints <c>bytes N</c> and a line for each error.
/// </summary>
internal static class BulkClient
{
    public static int Run(int port, int connections, int seconds, TimeProvider time)
    {
        List<Fetch> fetches = [];
        for (int i = 0; i < connections; i++) fetches.Add(new(port));
        long start = time.GetTimestamp();
        List<Socket> readable = [];
        while (fetches.Any(static f => f.Error is null) && time.GetElapsedTime(start).TotalSeconds < seconds)
        {
            readable.Clear();
            readable.AddRange(fetches.Where(static f => f.Error is null).Select(static f => f.Socket));
            Socket.Select(readable, null, null, TimeSpan.FromMilliseconds(100));
            foreach (Fetch fetch in fetches)
            {
                if (readable.Contains(fetch.Socket)) fetch.Read();
            }
        }

        foreach (Fetch fetch in fetches.Where(static f => f.Error is not null)) Console.WriteLine($"error {fetch.Error}");
        Console.WriteLine($"bytes {fetches.Sum(static f => f.Bytes)}");
        return 0;
    }

    /// <summary>One connection that fetches.</summary>
    private sealed class Fetch
    {
        private const int ReadsATurn = 4;

        private static readonly byte[] Request = Encoding.ASCII.GetBytes($"GET {Workspace.BulkPath} HTTP/1.1\r\nHost: peers\r\n\r\n");
        private static readonly byte[] Sink = new byte[1024 * 1024];

        private readonly byte[] _head = new byte[4096];
        private int _headLength;
        private long _left;

        public Fetch(int port)
        {
            Socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                Socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
                Socket.Send(Request);
                Socket.Blocking = false;
            }
            catch (SocketException e)
            {
                Error = $"connect: {e.SocketErrorCode}";
            }
        }

        public Socket Socket { get; }

        public long Bytes { get; private set; }

        public string? Error { get; private set; }

        public void Read()
        {
            for (int i = 0; i < ReadsATurn && Error is null; i++)
            {
                // MSG_TRUNC: the kernel counts and drops the bytes, so that the client's copy does not slow down the proxy.
                int received = _left > 0
                    ? Socket.Receive(Sink.AsSpan(0, (int)Math.Min(_left, Sink.Length)), SocketFlags.Truncated, out SocketError error)
                    : Socket.Receive(_head.AsSpan(_headLength), SocketFlags.None, out error);
                if (error == SocketError.WouldBlock) return;
                if (error != SocketError.Success) Error = $"receive: {error}";
                else if (received == 0) Error = $"closed by the proxy with {_left} bytes missing";
                else if (_left > 0) Took(received);
                else TookHead(received);
            }
        }

        private void TookHead(int received)
        {
            _headLength += received;
            ReadOnlySpan<byte> head = _head.AsSpan(0, _headLength);
            int end = head.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                if (_headLength == _head.Length) Error = "an answer without an end of its head";
                return;
            }

            if (!head.StartsWith("HTTP/1.1 200 "u8)) Error = $"answer {Encoding.ASCII.GetString(head[..head.IndexOf((byte)'\r')])}";
            else if (head[..(end + 2)].IndexOf(ContentLength) < 0) Error = "an answer of another length than the file";
            _left = Workspace.BulkBytes;
            int body = _headLength - end - 4;
            _headLength = 0;
            Took(body);
        }

        private static readonly byte[] ContentLength = Encoding.ASCII.GetBytes($"Content-Length: {Workspace.BulkBytes}\r\n");

        private void Took(int body)
        {
            _left -= body;
            Bytes += body;
            if (_left == 0) Socket.Send(Request, SocketFlags.None, out _); // A failure shows at the next read.
        }
    }
}
