using Lb.Health;

namespace Lb.Testing;

/// <summary>
/// A health checker that does what a test says: results by script for each server, checks that wait to be released, and a record of every call. Passes
/// at once when nothing was said. Thread-safe.
/// </summary>
/// <remarks>Released checks go on inside <see cref="Release"/>, on the thread that calls it, so that a test with a manual clock needs no waiting.</remarks>
/// <param name="time">The clock that calls are recorded by; default <see cref="TimeProvider.System"/>.</param>
public sealed class FakeHealthChecker(TimeProvider? time = null) : IHealthChecker
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Script> _scripts = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<FakeCheck> _calls = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private int _running;
    private int _mostRunning;

    /// <summary>A passed check: L7OK 200.</summary>
    public static ProbeResult Pass { get; } = new(CheckStatus.Layer7Ok, 200, "OK");

    /// <summary>A failed check: L4CON, connection refused.</summary>
    public static ProbeResult Fail { get; } = new(CheckStatus.Layer4Connection, 0, "connection refused");

    /// <summary>Every check so far, in the order of their starts.</summary>
    public IReadOnlyList<FakeCheck> Calls
    {
        get
        {
            lock (_lock) return [.. _calls];
        }
    }

    /// <summary>Checks that run now.</summary>
    public int Running
    {
        get
        {
            lock (_lock) return _running;
        }
    }

    /// <summary>Most checks that ever ran at a time.</summary>
    public int MostRunning
    {
        get
        {
            lock (_lock) return _mostRunning;
        }
    }

    /// <summary>Says how the checks of a server end from now on, after what is left of its script.</summary>
    /// <param name="server">Name of the server.</param>
    /// <param name="result">The result.</param>
    public void Answer(string server, ProbeResult result)
    {
        lock (_lock) For(server).Always = result;
    }

    /// <summary>Adds results to a server's script: one for each check, in order.</summary>
    /// <param name="server">Name of the server.</param>
    /// <param name="results">The results.</param>
    public void Then(string server, params ReadOnlySpan<ProbeResult> results)
    {
        lock (_lock)
        {
            Script script = For(server);
            foreach (ProbeResult result in results) script.Next.Enqueue(result);
        }
    }

    /// <summary>Lets the checks of a server wait from now on, until released or cancelled.</summary>
    /// <param name="server">Name of the server.</param>
    /// <param name="ignoreCancellation">True plays a broken checker, which does not end when its time is up. Default false.</param>
    public void Hold(string server, bool ignoreCancellation = false)
    {
        lock (_lock)
        {
            Script script = For(server);
            script.Gate ??= new TaskCompletionSource();
            script.IsDeaf = ignoreCancellation;
        }
    }

    /// <summary>Lets the waiting checks of a server end, and later ones not wait.</summary>
    /// <param name="server">Name of the server.</param>
    public void Release(string server)
    {
        TaskCompletionSource? gate;
        lock (_lock)
        {
            Script script = For(server);
            gate = script.Gate;
            script.Gate = null;
        }

        gate?.TrySetResult();
    }

    /// <summary>Waits until this many checks have started.</summary>
    /// <param name="count">Number of <see cref="Calls"/> to wait for.</param>
    /// <param name="ct">Ends the wait; give it the test's own token.</param>
    public Task WhenCallsReach(int count, CancellationToken ct = default)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_calls.Count >= count) return Task.CompletedTask;
            _waiting.Add((count, reached));
        }

        return reached.Task.WaitAsync(ct);
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        Task? gate;
        ProbeResult result;
        bool isDeaf;
        lock (_lock)
        {
            Script script = For(target.Server);
            gate = script.Gate?.Task;
            isDeaf = script.IsDeaf;
            if (!script.Next.TryDequeue(out result)) result = script.Always;
            _calls.Add(new FakeCheck(target.Server, _time.GetUtcNow(), target));
            _mostRunning = Math.Max(_mostRunning, ++_running);
            for (int i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_calls.Count < _waiting[i].Count) continue;
                _waiting[i].Reached.TrySetResult();
                _waiting.RemoveAt(i);
            }
        }

        try
        {
            if (gate is not null) await gate.WaitAsync(isDeaf ? CancellationToken.None : ct).ConfigureAwait(false);
            return result;
        }
        catch (OperationCanceledException)
        {
            return new ProbeResult(CheckStatus.Layer7Timeout, 0, "held by the test");
        }
        finally
        {
            lock (_lock) _running--;
        }
    }

    private Script For(string server)
    {
        if (!_scripts.TryGetValue(server, out Script? script)) _scripts[server] = script = new Script();
        return script;
    }

    private sealed class Script
    {
        public Queue<ProbeResult> Next { get; } = new();

        public ProbeResult Always { get; set; } = Pass;

        public TaskCompletionSource? Gate { get; set; }

        public bool IsDeaf { get; set; }
    }
}

/// <summary>One call of a <see cref="FakeHealthChecker"/>.</summary>
/// <param name="Server">Name of the server.</param>
/// <param name="At">When it started, by the checker's clock.</param>
/// <param name="Target">What the loop asked for.</param>
public sealed record FakeCheck(string Server, DateTimeOffset At, ProbeTarget Target);
