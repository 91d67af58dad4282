using System.Net.Sockets;
using System.Text;

namespace Lb.Transport;

/// <summary>
/// Asks the process that runs now for its listening sockets. As long as <see cref="Ready"/> was not said the other one goes on as if nobody had asked, so a
/// start that fails harms nobody.
/// </summary>
internal sealed class HandOverClient : IDisposable
{
    /// <summary>The words of both sides: one message each.</summary>
    internal const string List = "lb-handover 1 list";
    internal const string Take = "lb-handover 1 take";
    internal const string End = "end";
    internal const string Started = "ready";
    internal const string Done = "done";

    /// <summary>Room for the longest message, an address.</summary>
    internal const int LongestMessage = 512;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;

    private HandOverClient(Socket socket) => _socket = socket;

    /// <summary>Where the process that runs listens, as its configuration writes it; empty when none runs. Takes nothing.</summary>
    public static IReadOnlyList<string> Offers(UnixDomainSocketEndPoint address)
    {
        using HandOverClient? client = TryConnect(address);
        List<string> offers = [];
        return client is not null && client.Say(List) && client.Hear((text, descriptor) =>
        {
            Close(descriptor);
            offers.Add(text);
        }) ? offers : [];
    }

    /// <summary>Takes the sockets of the process that runs, all of them; null when none runs, or when it does not give them: then none is taken.</summary>
    /// <param name="address">Where it is asked.</param>
    /// <param name="sockets">Takes them in.</param>
    public static HandOverClient? TryTake(UnixDomainSocketEndPoint address, InheritedSockets sockets)
    {
        HandOverClient? client = TryConnect(address);
        if (client is null) return null;
        List<(int Descriptor, string Text)> given = [];
        if (client.Say(Take) && client.Hear((text, descriptor) => given.Add((descriptor, text))))
        {
            foreach ((int descriptor, string text) in given)
            {
                if (descriptor >= 0 && !sockets.Add(descriptor, ListenAddress.NameOfOffer(text))) Close(descriptor);
            }

            return client;
        }

        // Some without the others would be served by two processes that know nothing of each other.
        foreach ((int descriptor, _) in given) Close(descriptor);
        client.Dispose();
        return null;
    }

    /// <summary>This process listens: the other one stops. Returns when it has.</summary>
    /// <returns>False: it is gone already.</returns>
    public bool Ready() => Say(Started) && Hear(static (_, descriptor) => Close(descriptor), Done);

    public void Dispose() => _socket.Dispose();

    private static HandOverClient? TryConnect(UnixDomainSocketEndPoint address)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        socket.ReceiveTimeout = socket.SendTimeout = (int)s_patience.TotalMilliseconds;
        try
        {
            socket.Connect(address);
            if (SocketPassing.IsTrusted((int)socket.Handle)) return new HandOverClient(socket);
        }
        catch (SocketException)
        {
            // Nobody is there, or somebody that does not speak with us.
        }

        socket.Dispose();
        return null;
    }

    private bool Say(string text) => SocketPassing.Send((int)_socket.Handle, Encoding.UTF8.GetBytes(text), -1);

    private bool Hear(Action<string, int> each, string last = End)
    {
        Span<byte> message = stackalloc byte[LongestMessage];
        while (true)
        {
            int length = SocketPassing.Receive((int)_socket.Handle, message, out int descriptor);
            if (length <= 0) return false;
            string text = Encoding.UTF8.GetString(message[..length]);
            if (text != last)
            {
                each(text, descriptor);
                continue;
            }

            Close(descriptor);
            return true;
        }
    }

    private static void Close(int descriptor)
    {
        if (descriptor >= 0) _ = Libc.Close(descriptor);
    }
}
