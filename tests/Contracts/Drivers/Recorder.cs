using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>A handler that writes down what it hears and lets a test wait for it.</summary>
internal class Recorder : IConnectionHandler
{
    private readonly Lock _gate = new();
    private readonly List<byte> _received = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private readonly List<string> _calls = [];

    public TaskCompletionSource<Connection> Connected { get; } = New<Connection>();

    public TaskCompletionSource EndOfStream { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<CloseReason> Closed { get; } = New<CloseReason>();

    public TaskCompletionSource Drained { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs on the loop's thread in every OnData, after the bytes were noted.</summary>
    public Action<Connection>? AfterData { get; init; }

    public Action<Connection>? AfterConnected { get; init; }

    public Action<Connection>? AfterEndOfStream { get; init; }

    /// <summary>The calls in their order; runs of OnData count as one.</summary>
    public string Calls
    {
        get
        {
            lock (_gate) return string.Join(' ', _calls);
        }
    }

    public byte[] Received
    {
        get
        {
            lock (_gate) return [.. _received];
        }
    }

    /// <summary>Waits until so many bytes have come in all, and returns them all.</summary>
    public async Task<byte[]> ReceiveAsync(int count)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_received.Count >= count) reached.SetResult();
            else _waiting.Add((count, reached));
        }

        await reached.Task;
        return Received;
    }

    public void OnConnected(Connection connection)
    {
        Note("connected");
        AfterConnected?.Invoke(connection);
        Connected.SetResult(connection);
    }

    public void OnData(Connection connection, ReadOnlySpan<byte> data)
    {
        Assert.False(data.IsEmpty);
        lock (_gate)
        {
            _received.AddRange(data);
            _waiting.RemoveAll(entry =>
            {
                if (entry.Count > _received.Count) return false;
                entry.Reached.SetResult();
                return true;
            });
        }

        Note("data");
        AfterData?.Invoke(connection);
    }

    public void OnDrained(Connection connection)
    {
        Note("drained");
        Drained.TrySetResult();
    }

    public void OnEndOfStream(Connection connection)
    {
        Note("end");
        AfterEndOfStream?.Invoke(connection);
        EndOfStream.SetResult();
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
        Note("closed");
        Assert.False(connection.IsOpen);
        Closed.SetResult(reason);
    }

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Note(string call)
    {
        lock (_gate)
        {
            if (_calls.Count == 0 || _calls[^1] != call) _calls.Add(call);
        }
    }
}
