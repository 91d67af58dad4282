using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Lb.Health;

/// <summary>
/// Asks a checker and waits for its answer, but not for ever: the border to code that is not ours. Whatever it throws is a failed check; one that does not
/// come back is left behind. One question at a time, and nothing is allocated for it. Used by one loop; <see cref="Dispose"/>: any thread.
/// </summary>
internal sealed class Inquiry : Deadline, IValueTaskSource<ProbeResult>, IDisposable
{
    /// <summary>What a checker has after its time is up, to say which stage it was in. Then it is left behind.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly DeadlineQueue _queue;
    private readonly TimeProvider _time;
    private readonly Action _answered;
    private FairTimeout _limit;
    private ManualResetValueTaskSourceCore<ProbeResult> _source;
    private ConfiguredValueTaskAwaitable<ProbeResult>.ConfiguredValueTaskAwaiter _answer;
    private ProbeTarget? _target;
    private State _state;
    private bool _graceOver;
    private long? _graceBegan;
    private bool _abandoned;

    public Inquiry(TimeProvider time)
    {
        _time = time;
        _queue = DeadlineQueue.Of(time);
        _answered = Answered;
        _limit = new FairTimeout(time, this);
    }

    private enum State
    {
        Idle,

        // The checker has not even returned its task.
        Calling,
        Waiting,
        LeftBehind,
    }

    /// <summary>True while a checker that was left behind has not come back.</summary>
    public bool IsLeftBehind
    {
        get
        {
            lock (_lock) return _state == State.LeftBehind;
        }
    }

    /// <summary>True when this process had paused during the last question.</summary>
    public bool SawPause { get; private set; }

    /// <summary>What the checker threw at the last question, if it was not to be expected.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Asks. Not while one is left behind.</summary>
    /// <param name="checker">Whom.</param>
    /// <param name="target">About whom.</param>
    /// <param name="limit">How long the answer may take, all attempts of the checker together.</param>
    public ValueTask<ProbeResult> AskAsync(IHealthChecker checker, ProbeTarget target, TimeSpan limit)
    {
        Fault = null;
        SawPause = false;
        lock (_lock)
        {
            if (_abandoned) return new(new ProbeResult(CheckStatus.Layer7Timeout, 0, "stopped"));
            _target = target;
            _graceOver = false;
            _graceBegan = null;
            _state = State.Calling;
            _limit.Start(limit);
        }

        ValueTask<ProbeResult> answer;
        try
        {
            answer = checker.CheckAsync(target, _limit.Token);
            if (answer.IsCompleted) return new(Close(answer.Result));
        }
        catch (Exception error)
        {
            return new(Close(Explain(error)));
        }

        _answer = answer.ConfigureAwait(false).GetAwaiter();
        ValueTask<ProbeResult> result;
        bool leave;
        lock (_lock)
        {
            _source.Reset();
            result = new(this, _source.Version);
            leave = _graceOver || _abandoned;
            _state = leave ? State.LeftBehind : State.Waiting;
        }

        // From here on it may be over before this call returns.
        if (leave) Leave(_limit);
        _answer.UnsafeOnCompleted(_answered);
        return result;
    }

    /// <summary>Cancels the question, and waits no longer for the answer: there will be no other question.</summary>
    public void Dispose()
    {
        FairTimeout limit;
        lock (_lock)
        {
            _abandoned = true;
            limit = _limit;
        }

        // Most answer to that at once.
        limit.Cancel();
        lock (_lock)
        {
            if (_state != State.Waiting) return;
            _state = State.LeftBehind;
        }

        Leave(limit);
    }

    protected internal override void Reached()
    {
        FairTimeout limit;
        lock (_lock)
        {
            // It may have been set for the question before, and come only now.
            if (_graceBegan is not { } began || _time.GetElapsedTime(began) < Grace) return;
            if (_state == State.Calling) _graceOver = true;
            if (_state != State.Waiting) return;
            _state = State.LeftBehind;
            limit = _limit;
        }

        Leave(limit);
    }

    ProbeResult IValueTaskSource<ProbeResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ProbeResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<ProbeResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>The limit has cancelled its token.</summary>
    internal void TimeIsUp()
    {
        lock (_lock)
        {
            // Another question has another limit.
            if ((_state is not (State.Calling or State.Waiting)) || !_limit.Token.IsCancellationRequested) return;
            _graceBegan = _time.GetTimestamp();
            _queue.Set(this, Grace);
        }
    }

    private void Leave(FairTimeout limit)
    {
        SawPause = limit.SawPause;
        limit.Stop();
        _queue.Remove(this);
        _source.SetResult(new ProbeResult(CheckStatus.Layer7Timeout, 0, "the check did not end in time"));
    }

    private void Answered()
    {
        ProbeResult result;
        Exception? error = null;
        try
        {
            result = _answer.GetResult();
        }
        catch (Exception thrown)
        {
            result = default;
            error = thrown;
        }

        lock (_lock)
        {
            bool late = _state == State.LeftBehind;
            _state = State.Idle;
            if (late)
            {
                // Whatever it still holds, it holds an old token.
                _limit = new FairTimeout(_time, this);
                return;
            }
        }

        _source.SetResult(Close(error is null ? result : Explain(error)));
    }

    private ProbeResult Close(ProbeResult result)
    {
        SawPause = _limit.SawPause;
        bool reusable = _limit.Stop();
        lock (_lock)
        {
            _state = State.Idle;
            _answer = default;
            _target = null;
            if (!reusable) _limit = new FairTimeout(_time, this);
        }

        _queue.Remove(this);
        return result;
    }

    private ProbeResult Explain(Exception error)
    {
        switch (error)
        {
            case OperationCanceledException when _limit.Token.IsCancellationRequested:
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no answer in time");
            case SocketException socket:
                return ProbeSocket.Explain(socket.SocketErrorCode, _target!.EndPoint);
            default:
                Fault = error;
                return new ProbeResult(CheckStatus.Layer7Response, 0, $"{error.GetType().Name}: {error.Message}");
        }
    }
}
