namespace Lb.Health;

/// <summary>Cancels what runs code that is not ours.</summary>
internal static class Cancellation
{
    public static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception error) when (error is AggregateException or ObjectDisposedException)
        {
            // A checker's own callback failed, or the check ended at this very moment. Thrown on a timer's thread it would end the process.
        }
    }
}
