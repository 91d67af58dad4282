using System.Net;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>Sends back what it gets; passes the end on and stops reading while the peer does not read.</summary>
internal sealed class Echo : IConnectionHandler
{
    public static readonly Echo Instance = new();

    public void OnConnected(Connection connection)
    {
    }

    public void OnData(Connection connection, ReadOnlySpan<byte> data)
    {
        if (connection.Send(data) == SendResult.Pending) connection.PauseReading();
    }

    public void OnDrained(Connection connection) => connection.ResumeReading();

    public void OnEndOfStream(Connection connection)
    {
        if (connection.PendingBytes > 0)
        {
            connection.Handler = CloseWhenDrained.Instance;
            connection.ShutdownSend();
        }
        else
        {
            connection.Close();
        }
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
    }

    private sealed class CloseWhenDrained : IConnectionHandler
    {
        public static readonly CloseWhenDrained Instance = new();

        public void OnConnected(Connection connection)
        {
        }

        public void OnData(Connection connection, ReadOnlySpan<byte> data)
        {
        }

        public void OnDrained(Connection connection) => connection.Close();

        public void OnEndOfStream(Connection connection)
        {
        }

        public void OnClosed(Connection connection, CloseReason reason)
        {
        }
    }
}

/// <summary>Throws away what it gets and counts it.</summary>
internal sealed class Sink : IConnectionHandler
{
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    public void OnConnected(Connection connection)
    {
    }

    public void OnData(Connection connection, ReadOnlySpan<byte> data) => _bytes += data.Length;

    public void OnDrained(Connection connection)
    {
    }

    public void OnEndOfStream(Connection connection) => connection.Close();

    public void OnClosed(Connection connection, CloseReason reason)
    {
    }
}

/// <summary>Connects every client to one backend and carries bytes, ends and resets both ways: what a gateway does, without anything else.</summary>
internal sealed class Relay(EndPoint backend) : IAcceptHandler
{
    private int _messages;

    /// <summary>Offers bulk to the driver: 0 never, else at most so many bytes at a time.</summary>
    public long SpliceLimit { get; init; }

    /// <summary>Also goes on reading while the other side has bytes pending, against the rules.</summary>
    public bool NeverPauses { get; init; }

    /// <summary>Runs on the loop's thread in every OnSpliced, after its bytes were counted.</summary>
    public Action<Connection>? AfterSpliced { get; init; }

    /// <summary>Done to every connection to the backend.</summary>
    public Action<Connection>? Prepare { get; set; }

    /// <summary>The newest pair.</summary>
    public Connection? Client { get; private set; }

    public Connection? Server { get; private set; }

    /// <summary>Bytes that came in OnData and in OnSpliced; transfers that the driver agreed to.</summary>
    public long Copied { get; private set; }

    public long Spliced { get; private set; }

    public int Agreed { get; private set; }

    /// <summary>Why the first connection of a pair ended without our asking.</summary>
    public TaskCompletionSource<CloseReason> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Most bytes that ever waited on one connection.</summary>
    public int MostPending { get; private set; }

    /// <summary>Set when a source was paused for the first time.</summary>
    public TaskCompletionSource PausedOnce { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>At which message <see cref="Allocated"/> begins and ends to count. 0 counts nothing.</summary>
    public int MeasureFrom { get; init; }

    public int MeasureTo { get; init; }

    /// <summary>Managed bytes allocated on the loop's thread between the two messages.</summary>
    public TaskCompletionSource<long> Allocated { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private long _before;

    public void OnAccepted(Listener listener, Connection connection)
    {
        Side client = new(this);
        Side server = new(this);
        connection.Handler = client;
        client.Other = connection.Loop.Connect(backend, server);
        server.Other = connection;
        Prepare?.Invoke(client.Other);
        Client = connection;
        Server = client.Other;
    }

    private void CountMessage()
    {
        int message = ++_messages;
        if (message == MeasureFrom) _before = GC.GetAllocatedBytesForCurrentThread();
        if (message == MeasureTo && MeasureTo > 0) Allocated.SetResult(GC.GetAllocatedBytesForCurrentThread() - _before);
    }

    private sealed class Side(Relay relay) : IConnectionHandler
    {
        private bool _ended;

        public Connection Other { get; set; } = null!;

        public void OnConnected(Connection connection)
        {
        }

        public void OnData(Connection connection, ReadOnlySpan<byte> data)
        {
            relay.CountMessage();
            relay.Copied += data.Length;
            SendResult result = Other.Send(data);
            if (result == SendResult.Pending) PauseFor(connection);
            else if (result == SendResult.Sent) Offer(connection, Other);
        }

        private void Offer(Connection from, Connection to)
        {
            if (relay.SpliceLimit > 0 && from.TrySpliceTo(to, relay.SpliceLimit)) relay.Agreed++;
        }

        public void OnSpliced(Connection connection, int bytes)
        {
            Assert.True(bytes > 0);
            relay.Spliced += bytes;
            if (Other.PendingBytes > 0) PauseFor(connection);
            relay.AfterSpliced?.Invoke(connection);
        }

        private void PauseFor(Connection connection)
        {
            relay.MostPending = Math.Max(relay.MostPending, Other.PendingBytes);
            if (!relay.NeverPauses) connection.PauseReading();
            relay.PausedOnce.TrySetResult();
        }

        public void OnDrained(Connection connection) 
        {
            Offer(Other, connection);
            Other.ResumeReading();
        }

        public void OnEndOfStream(Connection connection)
        {
            _ended = true;
            Other.ShutdownSend();
            if (((Side)Other.Handler)._ended && connection.PendingBytes == 0 && Other.PendingBytes == 0)
            {
                connection.Close();
                Other.Close();
            }
        }

        public void OnClosed(Connection connection, CloseReason reason)
        {
            relay.Closed.TrySetResult(reason);
            Other.Abort();
        }
    }
}
