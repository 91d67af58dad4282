namespace Lb.Transport;

/// <summary>Stands in until an accept handler has set the real one; a connection that still has it afterwards is closed.</summary>
internal sealed class Unhandled : IConnectionHandler
{
    public static readonly Unhandled Instance = new();

    public void OnConnected(Connection connection)
    {
    }

    public void OnData(Connection connection, ReadOnlySpan<byte> data)
    {
    }

    public void OnDrained(Connection connection)
    {
    }

    public void OnEndOfStream(Connection connection)
    {
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
    }
}
