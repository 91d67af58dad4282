using System.Threading.Channels;
using Lb;

namespace Samples.CustomCheck;

#region notifier
/// <summary>Tells of servers that go and come. Made by dependency injection; called with one event at a time and in order.</summary>
public sealed class Messenger(Channel<string> messages) : INotifier
{
    public async ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        if (notice is not ServerStatusChanged change) return;

        // Nobody on the data path waits for this: it may take its time, a mail server for example.
        await messages.Writer.WriteAsync($"{change.Pool}/{change.Server} is {change.To}, was {change.From}: {change.Cause}", ct);
    }
}
#endregion
