using System.Net;
using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <content>Connects that fail, are given up, or take the place of another.</content>
public abstract partial class ReactorDriverContract
{
    [Fact(Timeout = Limit)]
    public async Task A_refused_connect_is_reported_later()
    {
        await using LoopHost host = Host();
        Socket placeholder = host.NewSocket(AddressFamily.InterNetwork);
        placeholder.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: refused for as long as it lives
        Recorder recorder = new();

        await host.On(() =>
        {
            Connection connection = host.Loop.Connect(placeholder.LocalEndPoint!, recorder);
            Assert.False(connection.IsOpen);
            Assert.Equal("", recorder.Calls);
        });

        Assert.Equal(CloseReason.Refused, await recorder.Closed.Task);
        Assert.Equal("closed", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_connect_that_fails_at_once_is_reported_later_or_not_at_all_when_given_up()
    {
        await using LoopHost host = Host();
        EndPoint nowhere = new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        Recorder told = new();
        Recorder givenUp = new();

        await host.On(() =>
        {
            host.Loop.Connect(nowhere, told);
            Assert.Equal("", told.Calls);
            host.Loop.Connect(nowhere, givenUp).Close();
        });

        Assert.Equal(CloseReason.Refused, await told.Closed.Task);
        await host.TurnsAsync();
        Assert.Equal("", givenUp.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_connect_can_be_given_up()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux leaves a connect unanswered when the accept queue is full.");
        await using LoopHost host = Host();
        Socket server = host.Server(backlog: 1);
        List<Recorder> recorders = [];
        List<Connection> connections = [];

        // The queue takes two; the third waits for an answer that does not come.
        for (int i = 0; i < 2; i++)
        {
            recorders.Add(new Recorder());
            connections.Add(await host.ConnectAsync(server.LocalEndPoint!, recorders[i]));
            await recorders[i].Connected.Task;
        }

        Recorder waiting = new();
        Connection attempt = await host.ConnectAsync(server.LocalEndPoint!, waiting);
        await host.TurnsAsync();
        Assert.False(attempt.IsOpen);
        Assert.Equal("", waiting.Calls);
        await host.On(() =>
        {
            attempt.Close();
            attempt.Close();
            attempt.Abort();
            Assert.Equal(SendResult.Closed, attempt.Send([1]));
        });
        await host.TurnsAsync();

        Assert.Equal("", waiting.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_new_connection_hears_nothing_of_the_one_whose_place_it_takes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux leaves a connect unanswered when the accept queue is full.");
        await using LoopHost host = Host();
        Socket server = host.Server(backlog: 1);
        for (int i = 0; i < 2; i++)
        {
            Recorder filler = new();
            await host.ConnectAsync(server.LocalEndPoint!, filler);
            await filler.Connected.Task;
        }

        // Both have data when the loop looks. The first one's handler closes the second and starts a connect that is not answered:
        // what was found for the second must not pass for the answer.
        Recorder newcomer = new();
        Connection? second = null;
        Recorder first = new()
        {
            AfterData = connection =>
            {
                second!.Close();
                connection.Loop.Connect(server.LocalEndPoint!, newcomer);
            },
        };
        (_, Socket firstPeer) = await host.PairAsync(first);
        (second, Socket secondPeer) = await host.PairAsync(new Recorder());
        TaskCompletionSource queued = new();
        Assert.True(host.Loop.Post(_ => queued.Task.Wait(), null));
        firstPeer.Send("x"u8);
        secondPeer.Send("x"u8);
        queued.SetResult();

        await first.ReceiveAsync(1);
        await host.TurnsAsync();
        Assert.Equal("", newcomer.Calls);
    }
}
