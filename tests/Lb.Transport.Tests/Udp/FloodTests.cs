using System.Net;
using System.Net.Sockets;
using Lb.Contracts.Drivers;
using Lb.Transport.Tests.Reactor;

namespace Lb.Transport.Tests.Udp;

/// <summary>A socket whose queue never becomes empty.</summary>
[Trait("Row", "T6")]
public sealed class FloodTests
{
    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flood_gets_the_same_share_of_every_turn(bool isUring)
    {
        const int Queued = (DatagramSocket.BatchesPerTurn + 1) * DatagramSocket.BatchSize;
        await using LoopHost host = new(isUring ? UringDriverTests.CreateUring : EpollDriverTests.CreateEpoll);
        using Socket sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Flood flood = new(host.Loop, sender);
        DatagramSocket socket = await host.On(() => DatagramSocket.Bind((ReactorLoop)host.Loop, new IPEndPoint(IPAddress.Loopback, 0), new ListenOptions(), flood, new long[64]));
        sender.Connect(socket.LocalEndPoint);
        await host.On(() => flood.Send(Queued));

        int most = await flood.Most.Task;

        Assert.InRange(most, 1, 2 * DatagramSocket.BatchesPerTurn);
        await host.On(socket.Close);
    }

    private sealed class Flood(EventLoop loop, Socket sender) : IDatagramHandler
    {
        private static readonly byte[] s_datagram = [1];
        private int _calls;
        private int _most;
        private int _turns;

        /// <summary>Most batches in one of 60 turns.</summary>
        public TaskCompletionSource<int> Most { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Send(int count)
        {
            for (int i = 0; i < count; i++) sender.Send(s_datagram);
            if (_turns == 0) OnTurn();
        }

        public void OnReceived(DatagramSocket socket, DatagramBatch batch, int first, int count)
        {
            _calls++;
            if (!Most.Task.IsCompleted) Send(count);
        }

        public void OnUnreachable(DatagramSocket socket)
        {
        }

        private void OnTurn()
        {
            _most = Math.Max(_most, _calls);
            _calls = 0;
            if (++_turns == 60) Most.SetResult(_most);
            else loop.Post(_ => OnTurn(), null);
        }
    }
}
