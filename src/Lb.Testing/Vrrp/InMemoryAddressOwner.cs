using Lb.Vrrp;

namespace Lb.Testing;

/// <summary>An <see cref="IAddressOwner"/> that has its addresses in memory: at once, slowly, or not at all. Not thread-safe.</summary>
public sealed class InMemoryAddressOwner : IAddressOwner
{
    private readonly List<string> _calls = [];
    private TaskCompletionSource? _under;
    private bool _acquires;
    private CancellationTokenRegistration _registration;

    /// <summary>True while the addresses are here.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>True while a slow call is under way.</summary>
    public bool IsBusy => _under is not null;

    /// <summary>What was asked for, in order: <c>acquire</c>, <c>release</c>, <c>renew</c>.</summary>
    public IReadOnlyList<string> Calls => _calls;

    /// <summary>Called with every entry of <see cref="Calls"/>.</summary>
    public Action<string>? Called { get; set; }

    /// <summary>When set, calls fail with this message; null (default) = they succeed.</summary>
    public string? Error { get; set; }

    /// <summary>True: a call is under way until <see cref="Complete"/>; default false.</summary>
    public bool IsSlow { get; set; }

    /// <summary>True: a slow call does not listen to its cancellation; default false.</summary>
    public bool IgnoresCancellation { get; set; }

    /// <inheritdoc/>
    public TimeSpan RenewEvery { get; set; }

    /// <summary>True after <see cref="Dispose"/>.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Somebody else takes the addresses off.</summary>
    public void Delete() => IsHeld = false;

    /// <summary>Ends the slow call that is under way.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public void Complete()
    {
        TaskCompletionSource under = _under ?? throw new InvalidOperationException("No call is under way.");
        _under = null;
        _registration.Dispose();
        if (Error is { } error)
        {
            under.TrySetException(new IOException(error));
            return;
        }

        IsHeld = _acquires;
        under.TrySetResult();
    }

    /// <inheritdoc/>
    public ValueTask AcquireAsync(CancellationToken ct) => Call("acquire", acquires: true, ct);

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(CancellationToken ct) => Call("release", acquires: false, ct);

    /// <inheritdoc/>
    public bool Renew()
    {
        Note("renew");
        if (Error is { } error) throw new IOException(error);
        bool wasGone = !IsHeld;
        IsHeld = true;
        return wasGone;
    }

    /// <inheritdoc/>
    public void Dispose() => IsDisposed = true;

    private ValueTask Call(string name, bool acquires, CancellationToken ct)
    {
        if (_under is not null) throw new InvalidOperationException("The call before has not ended.");
        Note(name);
        if (!IsSlow)
        {
            if (Error is { } error) throw new IOException(error);
            IsHeld = acquires;
            return ValueTask.CompletedTask;
        }

        TaskCompletionSource under = _under = new TaskCompletionSource();
        _acquires = acquires;
        if (!IgnoresCancellation)
        {
            _registration = ct.Register(() =>
            {
                _under = null;
                under.TrySetCanceled(ct);
            });
        }

        return new ValueTask(under.Task);
    }

    private void Note(string call)
    {
        _calls.Add(call);
        Called?.Invoke(call);
    }
}
