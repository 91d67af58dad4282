using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>An asynchronous operation of one connection whose end is handled on the loop's thread. Used again and again.</summary>
/// <param name="loop">The loop.</param>
/// <param name="connection">The connection.</param>
/// <param name="completion">What to do at the end; must check that the connection still lives.</param>
/// <remarks>Without the execution context (the argument to the base): it would be captured for every operation.</remarks>
internal sealed class SocketOperation(ManagedLoop loop, ManagedConnection connection, Action<ManagedConnection> completion)
    : SocketAsyncEventArgs(true)
{
    private static readonly Action<object?> s_complete = static state => ((SocketOperation)state!).Complete();

    /// <summary>Handles the end in a later turn. After the loop's end nobody is interested.</summary>
    public void CompleteLater() => _ = loop.Post(s_complete, this);

    // A thread of the pool: no handler may run here. It works off all that the kernel has told at once, so the loop is woken after that.
    protected override void OnCompleted(SocketAsyncEventArgs e) => loop.PostFromPool(s_complete, this);

    private void Complete() => loop.Complete(connection, completion);
}
