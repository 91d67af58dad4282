namespace Lb.Interop.Tests.Peers;

/// <summary>What was heard from somewhere, in order; tests wait for what is still to come. Any thread.</summary>
internal sealed class Heard<T>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly List<T> _all = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Everything so far.</summary>
    public T[] All
    {
        get
        {
            lock (_lock) return [.. _all];
        }
    }

    /// <summary>How much was heard so far: where to begin to wait for something new.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _all.Count;
        }
    }

    public void Add(T item)
    {
        lock (_lock)
        {
            _all.Add(item);
            _more.TrySetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Ends with the first one that is wanted.</summary>
    /// <param name="wanted">Says whether it is.</param>
    /// <param name="from">How many are passed over.</param>
    /// <param name="what">What the failure calls it.</param>
    public async Task<T> WhenAsync(Predicate<T> wanted, int from = 0, string what = "What was waited for")
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (true)
        {
            Task more;
            lock (_lock)
            {
                for (; from < _all.Count; from++)
                {
                    if (wanted(_all[from])) return _all[from];
                }

                more = _more.Task;
            }

            await more.WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!more.IsCompleted) throw new TimeoutException($"{what} was not heard:\n{string.Join('\n', All.TakeLast(30))}");
        }
    }
}
